//! Text of any language survives byte for byte, however its bytes are cut on the way.

use pb_protocol::ipc::{self, Frame};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::support::{Client, Scheduler, Sse, TestHome, frames_of, link_event};

const TITLE: &str = "帮我创建一个测试文件：𠮷野家 🐴🐰 café";
const DESCRIPTION: &str = "写入“你好，世界”，\n不要丢失任何字符。\u{200d}👨‍👩‍👧";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chinese_goal_survives_from_client_to_inbox_to_scheduler_to_client() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    for step in [1, 2, 3, 1000] {
        let mut scheduler = Scheduler::start(&at).await;
        let mut client = Client::connect(gateway.address).await;
        let params = json!({"title": TITLE, "description": DESCRIPTION, "tags": ["测试"]});
        let request = json!({"type": "req", "id": "请求", "method": "goal.submit", "params": params});
        client.send_in_pieces(&request.to_string(), step).await;
        let answer = client.answer().await;
        assert_eq!(answer["id"], "请求");
        let shown = |goal: &serde_json::Value| {
            (goal["title"].clone(), goal["description"].clone(), goal["tags"].clone())
        };
        let asked = shown(&params);
        assert_eq!(shown(&answer["result"]), asked);

        let kept = scheduler.inbox().await.pop().unwrap();
        let kept: serde_json::Value = serde_json::from_str(&kept.command.params).unwrap();
        assert_eq!(shown(&kept["spec"]), asked);
        // Executed before it is connected, so that the test itself writes the event's bytes.
        let told = scheduler.execute().await;
        let event = link_event(scheduler.log.identity(), told.first().unwrap());
        let mut bytes = ipc::line(&Frame::Connect(scheduler.hello()), 7).into_bytes();
        bytes.extend(ipc::line(&Frame::SchedulerEvent(Box::new(event)), 7).into_bytes());
        let mut peer = crate::support::Peer::connect(&at.home.gateway_socket()).await;
        for slice in bytes.chunks(step) {
            peer.send_bytes(slice).await;
        }
        let frame = client.event().await;
        assert_eq!(vec![frame.clone()], frames_of(scheduler.log.identity(), &told, None));
        assert_eq!(shown(&frame["data"]["goal"]), asked);
    }
    let mut stream = Sse::open(gateway.address, "/events?after=start", &[]).await;
    stream.take(1).await;
    for event in stream.take(4).await {
        assert_eq!(
            (&event.data["title"], &event.data["goal"]["description"]),
            (&json!(TITLE), &json!(DESCRIPTION))
        );
    }
}
