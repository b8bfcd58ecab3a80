//! Why the gateway closes a connection: the codes of WebSocket (RFC 6455), and the first implementation's.

macro_rules! close_reasons {
    ($($name:ident = $code:literal, $words:literal, $advice:literal;)*) => {
        /// Why a connection is closed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum CloseReason {
            $(#[doc = $advice] $name,)*
        }

        impl CloseReason {
            /// Every reason, as they are listed to people.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code of the close frame.
            pub fn code(self) -> u16 {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            /// The reason that stands in it.
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)*
                }
            }

            /// What a client is to do, in a line.
            pub fn advice(self) -> &'static str {
                match self {
                    $(Self::$name => $advice,)*
                }
            }
        }
    };
}

close_reasons! {
    HeartbeatTimeout = 1000, "heartbeat_timeout", "you did not answer a ping: connect again";
    ShuttingDown = 1001, "Server shutting down", "connect again when the gateway is back";
    Malformed = 1002, "malformed frame", "what you sent is no WebSocket";
    NotUtf8 = 1007, "text is not UTF-8", "what you sent as text is none";
    TooBig = 1009, "message too big", "send less at once";
    AuthTimeout = 4001, "auth_timeout", "you did not say in time who you are";
    TokenRevoked = 4003, "token_revoked", "your access token has ended: ask for another";
    TokenExpired = 4003, "token_expired", "your access token has ended: ask for another";
    ConnectionLimit = 4006, "Connection limit exceeded", "close connections that you do not need";
    SlowConsumer = 4008, "slow_consumer", "you read nothing for 30 s: connect again, subscribe after your cursor, read faster";
}
