//! A wire that breaks: it passes bytes on, and cuts each connection after so many that came back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Ends with the test.
#[derive(Debug)]
pub(crate) struct Cutter {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Cutter {
    /// Listens in front of `to`. `cut` says, for each connection from 0 on, after how many bytes of the
    /// other side it is cut, if ever.
    pub(crate) async fn start(to: SocketAddr, cut: impl Fn(usize) -> Option<usize> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut carried = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let after = cut(count.fetch_add(1, Ordering::SeqCst));
                let server = TcpStream::connect(to).await.unwrap();
                let host = (address.to_string(), to.to_string());
                carried.spawn(carry((client, server), host, after.unwrap_or(usize::MAX)));
            }
        });
        Self { address, connections, _tasks: tasks }
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Carries the upgrade, with the `Host` that the other side goes by, then bytes as they are.
async fn carry(
    (mut client, mut server): (TcpStream, TcpStream),
    (ours, theirs): (String, String),
    mut left: usize,
) {
    let (mut up, mut down) = (vec![0; 4096], vec![0; 4096]);
    let Ok(count) = client.read(&mut up).await else { return };
    let head = String::from_utf8_lossy(&up[..count]).replace(&ours, &theirs);
    if server.write_all(head.as_bytes()).await.is_err() {
        return;
    }
    while left > 0 {
        let passed = tokio::select! {
            read = client.read(&mut up) => match read {
                Ok(count) if count > 0 => server.write_all(&up[..count]).await,
                _ => return,
            },
            read = server.read(&mut down) => match read {
                Ok(count) if count > 0 => {
                    let count = count.min(left);
                    left -= count;
                    client.write_all(&down[..count]).await
                }
                _ => return,
            },
        };
        if passed.is_err() {
            return;
        }
    }
}
