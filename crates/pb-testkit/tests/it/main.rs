//! The scripted model, asked over real sockets by clients that hide nothing.

#[cfg(test)]
mod binary;
#[cfg(test)]
mod client;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod real_model;
#[cfg(test)]
mod script;
#[cfg(test)]
mod selection;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod whole;
