//! A tool whose arguments are a type.

use std::fmt;

use futures_util::future::BoxFuture;
use pb_model::Effect;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::text::{TITLE_CHARS_MAX, one_line};
use crate::{Command, Output, Scope, Tool, ToolError, arguments, schema};

/// A [`Tool`] whose schema, title and reading of arguments follow from one type.
///
/// Doc comments of the type's fields are what the model reads about them.
pub trait TypedTool: fmt::Debug + Send + Sync {
    /// What the model gives; it should refuse unknown fields, so that a slip is noticed.
    type Arguments: DeserializeOwned + JsonSchema + Send;

    /// [`Tool::name`].
    const NAME: &'static str;
    /// [`Tool::description`].
    const DESCRIPTION: &'static str;
    /// [`Tool::effect`].
    const EFFECT: Option<Effect>;

    /// What a call is about, for people; cut and made one line by the caller.
    fn about(arguments: &Self::Arguments) -> String;

    /// [`Tool::command`].
    fn command(_: &Self::Arguments) -> Option<Command> {
        None
    }

    /// [`Tool::call`].
    fn run<'a>(
        &'a self,
        arguments: Self::Arguments,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<Output, ToolError>>;
}

impl<T: TypedTool> Tool for T {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn description(&self) -> &'static str {
        T::DESCRIPTION
    }

    fn schema(&self) -> Value {
        schema::plain::<T::Arguments>()
    }

    fn effect(&self) -> Option<Effect> {
        T::EFFECT
    }

    fn title(&self, arguments: &Value) -> String {
        let about = match arguments::parse(arguments) {
            Ok(arguments) => T::about(&arguments),
            Err(_) => arguments.to_string(),
        };
        one_line(&about, TITLE_CHARS_MAX)
    }

    fn check(&self, arguments: &Value) -> Result<(), String> {
        arguments::parse::<T::Arguments>(arguments).map(drop)
    }

    fn command(&self, arguments: &Value) -> Option<Command> {
        arguments::parse(arguments).ok().and_then(|arguments| T::command(&arguments))
    }

    fn call<'a>(
        &'a self,
        arguments: &'a Value,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<Output, ToolError>> {
        match arguments::parse(arguments) {
            Ok(arguments) => self.run(arguments, scope),
            Err(reason) => Box::pin(async move { Err(ToolError::Model(reason)) }),
        }
    }
}
