//! What a gateway checks before it runs, and what it leaves behind.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use pb_gateway::{Gateway, StartError};
use pb_runtime::Endpoint;
use pb_runtime::lock::LockError;
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::support::{Client, Sse, TestHome, socket_as_another_user, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_where_it_listens_for_as_long_as_it_does() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let said = Endpoint::read(&at.home.gateway_json()).unwrap();
    assert_eq!(
        (said.address, said.socket, said.pid),
        (gateway.address, at.home.gateway_socket(), std::process::id())
    );
    assert_ne!(said.address.port(), 0);
    let meta = fs::symlink_metadata(at.home.gateway_socket()).unwrap();
    assert!(meta.file_type().is_socket());
    assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    gateway.stop().await;
    assert!(!at.home.gateway_json().exists());
    assert!(!at.home.gateway_socket().exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_says_goodbye_to_every_client() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let mut stream = Sse::open(gateway.address, "/events", &[]).await;
    stream.take(1).await;
    let ((), why, end) = tokio::join!(gateway.stop(), client.closed(), stream.next());
    assert_eq!(why, Some((1001, "Server shutting down".to_owned())));
    assert_eq!(end, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_12_what_lies_at_the_sockets_path_is_left_alone_unless_it_is_a_dead_socket() {
    let at = TestHome::new();
    let socket = at.home.gateway_socket();
    let target = at.home.root().join("precious");
    fs::write(&target, "precious").unwrap();
    symlink(&target, &socket).unwrap();
    let error = Gateway::start(at.config()).await.unwrap_err();
    assert!(matches!(&error, StartError::SocketObstructed { what: "a symbolic link", .. }), "{error}");
    assert_eq!(fs::read_link(&socket).unwrap(), target);
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");

    fs::remove_file(&socket).unwrap();
    fs::write(&socket, "a file").unwrap();
    let error = Gateway::start(at.config()).await.unwrap_err();
    assert!(matches!(&error, StartError::SocketObstructed { what: "not a socket", .. }), "{error}");
    assert_eq!(fs::read_to_string(&socket).unwrap(), "a file");

    fs::remove_file(&socket).unwrap();
    let somebody = UnixListener::bind(&socket).unwrap();
    let error = Gateway::start(at.config()).await.unwrap_err();
    assert!(error.to_string().contains("the socket of a running process"), "{error}");
    drop(somebody);
    let gateway = at.gateway().await;
    Client::connect(gateway.address).await.ping().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_path_that_does_not_fit_is_refused_with_its_length() {
    let at = TestHome::new();
    let mut config = at.config();
    config.socket = at.home.root().join("x".repeat(120));
    let length = config.socket.as_os_str().len();
    let error = Gateway::start(config).await.unwrap_err();
    assert!(matches!(&error, StartError::SocketPathTooLong { bytes, .. } if *bytes == length), "{error}");
    at.gateway().await.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_10_a_taken_port_is_refused_with_the_process_that_holds_it() {
    let (at, other) = (TestHome::new(), TestHome::new());
    let gateway = at.gateway().await;
    let mut config = other.config();
    config.port = gateway.address.port();
    let error = Gateway::start(config).await.unwrap_err();
    let said = format!("{} is taken by the process {}", gateway.address, std::process::id());
    assert_eq!(error.to_string(), said);
    assert!(!other.home.gateway_json().exists() && !other.home.gateway_socket().exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_10_an_address_beyond_this_machine_is_refused_without_tls() {
    let at = TestHome::new();
    for host in ["0.0.0.0", "::", "192.0.2.1"] {
        let mut config = at.config();
        config.host = host.to_owned();
        let error = Gateway::start(config).await.unwrap_err();
        assert!(matches!(&error, StartError::NotLoopback { .. }), "{host}: {error}");
    }
    for host in ["example.com", "", "127.0.0.1.example.com"] {
        let mut config = at.config();
        config.host = host.to_owned();
        let error = Gateway::start(config).await.unwrap_err();
        assert!(matches!(&error, StartError::NoAddress { .. }), "{host}: {error}");
    }
    assert!(!at.home.gateway_json().exists() && !at.home.gateway_socket().exists());
    let mut config = at.config();
    config.host = "localhost".to_owned();
    assert!(Gateway::start(config).await.unwrap().address().ip().is_loopback());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_gateway_of_the_same_home_is_refused_and_the_first_goes_on() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let before = fs::read(at.home.gateway_json()).unwrap();
    let error = Gateway::start(at.config()).await.unwrap_err();
    let StartError::Lock(LockError::Held { holder: Some(holder) }) = error else { panic!("{error}") };
    assert_eq!(holder.pid, std::process::id());
    assert_eq!(fs::read(at.home.gateway_json()).unwrap(), before);
    let mut client = Client::connect(gateway.address).await;
    let status = client.call("system.status", json!({})).await.unwrap();
    assert_eq!(status["gateway"]["pid"], std::process::id());
    drop(client);
    gateway.stop().await;
    at.gateway().await.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_12_a_folder_that_others_can_enter_is_no_place_for_the_socket() {
    let at = TestHome::new();
    let folder = at.home.root().join("shared");
    fs::create_dir(&folder).unwrap();
    let mut config = at.config();
    config.socket = folder.join("gateway.sock");
    for (mode, is_private) in [(0o770, false), (0o701, false), (0o1777, false), (0o700, true)] {
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        let started = Gateway::start(config.clone()).await;
        match started {
            Ok(_) => assert!(is_private, "{mode:o}"),
            Err(StartError::SocketFolderOpen { folder: told }) => {
                assert_eq!((told, is_private), (folder.clone(), false), "{mode:o}");
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_whose_queue_is_full_is_somebodys_and_does_not_hold_the_start_up() {
    let at = TestHome::new();
    let busy = UnixListener::bind(at.home.gateway_socket()).unwrap();
    rustix::net::listen(&busy, 0).unwrap();
    let _waiting = std::os::unix::net::UnixStream::connect(at.home.gateway_socket()).unwrap();
    let error = within("an answer", Gateway::start(at.config())).await.unwrap_err();
    assert!(error.to_string().contains("the socket of a running process"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_12_the_socket_is_for_our_own_user() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().mode() & 0o777;
    let path = at.home.gateway_socket();
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    if let Some(error) = socket_as_another_user(&path) {
        assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
    }
    gateway.stop().await;
}
