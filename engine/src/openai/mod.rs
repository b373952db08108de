//! The `OpenAI` API over one Llama-family model.

mod chat;
mod generate;
mod render;
mod request;
mod service;

pub use chat::{Template, template_name};
pub use service::Llama;
