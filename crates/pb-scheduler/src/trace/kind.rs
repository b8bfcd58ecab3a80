//! What a kind of debug event is: the table of docs/TRACE.md and the type of what is told come of the same lines
//! (`what.rs`), so neither has anything that the other has not. A kind that nobody tells does not compile: its
//! variant is dead.

/// A kind of debug event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Its name.
    pub(crate) name: &'static str,
    /// The part of the system that tells it.
    pub(crate) source: &'static str,
    /// The span that it belongs to.
    pub(crate) level: Level,
    /// Whether the ids of what it is about stand in its data too, where clients of the first implementation look.
    pub(crate) has_ids: bool,
    /// What it says, one sentence.
    #[cfg(test)]
    pub(crate) about: &'static str,
    /// Its keys, and what their values are.
    #[cfg(test)]
    pub(crate) keys: &'static [(&'static str, &'static str)],
}

/// What a span is a span of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// The daemon itself, which is no span.
    Daemon,
    Goal,
    /// A run, if it is about one, or the goal; or whichever step of it is known.
    Within,
    /// A phase of a goal.
    Phase,
    Run,
    /// A place in the journal of a run, or a call of a conversation: a tool or gate, or the work of a model.
    Step,
    /// A call of a model, of which a step may have several.
    Call,
    Session,
    Schedule,
}

impl Level {
    /// Whether what is of the other level may be told as this.
    #[cfg(test)]
    pub(super) fn admits(self, other: Self) -> bool {
        self == other || (self == Self::Within && matches!(other, Self::Goal | Self::Run | Self::Step))
    }

    /// The span, and the one that it is part of, in words.
    #[cfg(test)]
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Daemon => "none",
            Self::Goal => "goal",
            Self::Within => "run or goal",
            Self::Phase => "phase < goal",
            Self::Run => "run < goal",
            Self::Step => "step < run",
            Self::Call => "call < step",
            Self::Session => "session",
            Self::Schedule => "schedule",
        }
    }
}

/// Makes the enum of everything that is told, and the kind of each.
macro_rules! kinds {
    ($(
        $(#[doc = $about:literal])+
        $variant:ident $name:literal $source:literal $level:ident $($ids:ident)? {
            $($key:literal $field:ident: $type:ty,)*
        }
    )+) => {
        /// What is told.
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) enum What {
            $($(#[doc = $about])+ $variant { $($field: $type),* },)+
        }

        impl What {
            /// Its kind.
            pub(super) fn kind(&self) -> &'static Kind {
                match self {
                    $(Self::$variant { .. } => {
                        const KIND: &Kind = &Kind {
                            name: $name,
                            source: $source,
                            level: Level::$level,
                            has_ids: has_ids!($($ids)?),
                            #[cfg(test)]
                            about: concat!($($about),+),
                            #[cfg(test)]
                            keys: &[$(($key, <$type as Shown>::WORD)),*],
                        };
                        KIND
                    })+
                }
            }

            /// Adds its keys.
            pub(super) fn put_into(&self, data: &mut Data) {
                match self {
                    $(Self::$variant { $($field),* } => { $(data.put($key, $field);)* })+
                }
            }

            /// Bytes of others' words that it holds.
            pub(super) fn weight(&self) -> usize {
                match self {
                    $(Self::$variant { $($field),* } => 0 $(+ $field.weight())*,)+
                }
            }
        }

        /// Every kind.
        #[cfg(test)]
        pub(super) const KINDS: &[Kind] = &[$(Kind {
            name: $name,
            source: $source,
            level: Level::$level,
            has_ids: has_ids!($($ids)?),
            about: concat!($($about),+),
            keys: &[$(($key, <$type as Shown>::WORD)),*],
        }),+];
    };
}

macro_rules! has_ids {
    () => {
        false
    };
    (ids) => {
        true
    };
}

pub(super) use {has_ids, kinds};
