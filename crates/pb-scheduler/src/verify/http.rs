//! Gate: a server on this machine answers as it should.
//!
//! The daemon itself asks, over a connection that it opened to one of the three loopback addresses: there is
//! no name to be looked up, no proxy, and no redirect that is followed. The server, if the gate names one, is
//! confined as every command is; it may listen, for that reaches nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use pb_exec::{Finished, SpawnError};
use pb_model::goal::Evidence;
use pb_model::spec::{GateHttp, HTTP_TIME_LIMIT_S_DEFAULT, LoopbackUrl};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};

use super::pattern::Pattern;
use super::{EVIDENCE_BYTES_MAX, Found, Place, Subject, tail};
use crate::effects::{Context, StepCommand};

/// Most of an answer that is read, in bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Pause before a server that does not answer yet is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// What was answered.
struct Answer {
    status: u16,
    body: Vec<u8>,
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

pub(super) async fn check(context: &Context, subject: &Subject, gate: &GateHttp, place: Place<'_>) -> Found {
    let url = match LoopbackUrl::read(&gate.url) {
        Ok(url) => url,
        Err(why) => return Found::new(false, why),
    };
    if context.is_own_port(url.port()) {
        return Found::new(false, format!("port {} is pb's own, which no gate may ask", url.port()));
    }
    let limit = Duration::from_secs(gate.time_limit_s.unwrap_or(HTTP_TIME_LIMIT_S_DEFAULT));
    let Some(argv) = &gate.argv else {
        let answer = tokio::select! {
            answer = ask_until(&url, Instant::now() + limit, false) => answer,
            () = place.cancel.cancelled() => return Found::new(false, "it was stopped"),
        };
        return judge(gate, answer);
    };
    if connect(&url).await.is_ok() {
        let why = "something answers there before the server is started: end it, or name another port";
        return Found::new(false, why);
    }
    let (ended, answer) = serve(context, subject, (argv, limit), &url, place).await;
    let mut found = match answer {
        Some(answer) => judge(gate, answer),
        None => Found::new(false, format!("the server ended before it answered: {}", how(&ended))),
    };
    found.evidence.argv = Some(argv.clone());
    if let Ok(finished) = ended
        && found.evidence.output_tail.is_empty()
    {
        found.evidence.output_tail = tail(&finished.output.text(), EVIDENCE_BYTES_MAX);
    }
    found
}

/// Starts the server, asks it until it answers, and ends it. No answer if it ended before.
async fn serve(
    context: &Context,
    subject: &Subject,
    (argv, limit): (&[String], Duration),
    url: &LoopbackUrl,
    place: Place<'_>,
) -> (Result<Finished, SpawnError>, Option<Result<Answer, String>>) {
    let stop = place.cancel.child_token();
    let command = StepCommand {
        argv,
        cwd: None,
        env: &BTreeMap::new(),
        tcp_ports: &[],
        // It is ended when it was asked, or could not be.
        time_limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX).saturating_mul(2),
    };
    let server = async {
        let ended = context.run_step(subject.into(), &command, place.step, &stop).await;
        stop.cancel();
        ended
    };
    let asking = async {
        let answer = tokio::select! {
            answer = ask_until(url, Instant::now() + limit, true) => Some(answer),
            () = stop.cancelled() => None,
        };
        stop.cancel();
        answer
    };
    tokio::join!(server, asking)
}

fn how(ended: &Result<Finished, SpawnError>) -> String {
    match ended {
        Ok(finished) => match &finished.outcome {
            pb_exec::Outcome::Exited(code) => format!("exit {code}"),
            pb_exec::Outcome::Signaled(signal) => format!("signal {signal}"),
            pb_exec::Outcome::NotStarted(why) => format!("it did not start: {why}"),
            pb_exec::Outcome::TimedOut => "it ran into its time limit".to_owned(),
            pb_exec::Outcome::Stopped | pb_exec::Outcome::Lost => "it was stopped".to_owned(),
        },
        Err(error) => format!("it did not start: {error}"),
    }
}

fn judge(gate: &GateHttp, answer: Result<Answer, String>) -> Found {
    let answer = match answer {
        Ok(answer) => answer,
        Err(why) => return Found::new(false, why),
    };
    let pattern = Pattern::of(gate.text.as_ref(), gate.regex.as_ref());
    let wanted = gate.text.is_some() || gate.regex.is_some();
    let (passed, words) = if answer.status != gate.status {
        (false, format!("status {}, expected {}", answer.status, gate.status))
    } else if !wanted {
        (true, format!("status {}", answer.status))
    } else {
        match pattern.line(&answer.body) {
            Ok(Some(line)) => (true, format!("status {}, found in line {line}", answer.status)),
            Ok(None) => {
                (false, format!("status {}, but what is looked for is not in the answer", answer.status))
            }
            Err(why) => (false, why),
        }
    };
    let evidence = Evidence {
        output_digest: Some(blake3::hash(&answer.body).to_hex().to_string()),
        output_tail: tail(&String::from_utf8_lossy(&answer.body), EVIDENCE_BYTES_MAX),
        ..Evidence::default()
    };
    Found { passed, words, evidence }
}

/// Asks until there is an answer; `again` for a server that may still be starting.
async fn ask_until(url: &LoopbackUrl, deadline: Instant, again: bool) -> Result<Answer, String> {
    loop {
        let error = match timeout_at(deadline, ask(url)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => error.to_string(),
            Err(_) => return Err("it did not answer within the time limit".to_owned()),
        };
        if !again {
            return Err(format!("it does not answer: {error}"));
        }
        if Instant::now() + ASK_AGAIN >= deadline {
            return Err(format!("it did not answer within the time limit: {error}"));
        }
        sleep(ASK_AGAIN).await; // wait: a server that starts rings no bell
    }
}

async fn connect(url: &LoopbackUrl) -> Result<TcpStream, std::io::Error> {
    TcpStream::connect(url.addresses.as_slice()).await
}

/// One GET, and at most [`BODY_BYTES_MAX`] of what comes back.
async fn ask(url: &LoopbackUrl) -> Result<Answer, Failed> {
    let stream = connect(url).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(&url.target)
        .header(header::HOST, &url.authority)
        .header(header::USER_AGENT, "pb")
        .header(header::ACCEPT, "*/*")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())?;
    let exchange = async move {
        let response = sender.send_request(request).await?;
        let status = response.status().as_u16();
        let mut incoming = response.into_body();
        let mut body = Vec::new();
        while let Some(frame) = incoming.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            let room = BODY_BYTES_MAX - body.len();
            body.extend(data.iter().take(room));
            if data.len() >= room {
                break;
            }
        }
        Ok::<_, hyper::Error>(Answer { status, body })
    };
    // Both go on together; how the connection ends says nothing that the exchange does not.
    let (answer, _) = tokio::join!(exchange, connection);
    Ok(answer?)
}
