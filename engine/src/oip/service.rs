//! The endpoints of the protocol.

use super::{request, response};
use crate::error::Refusal;
use crate::http::{Request, Response};
use crate::onnx::{Model, Outcome, Port};
use crate::routes::refused;
use crate::service::{Reply, Service};
use serde_json::{Value, json};

pub struct OnnxModels {
    models: Vec<Model>,
}

impl OnnxModels {
    /// At least one model, each with a name of its own.
    pub fn new(models: Vec<Model>) -> Self {
        Self { models }
    }

    fn infer(
        model: &mut Model,
        request: &Request,
        reply: &mut dyn Reply,
    ) -> Result<Option<Response>, Refusal> {
        let mut inference = request::parse(request, &model.inputs, &model.outputs)?;
        let inputs = std::mem::take(&mut inference.inputs);
        match model.run(inputs, &mut || reply.tick())? {
            Outcome::Outputs(results) => {
                response::render(&model.name, &inference, &model.outputs, &results).map(Some)
            }
            Outcome::Stopped => Ok(None),
        }
    }
}

fn infer_path(model: &str) -> String {
    format!("/v2/models/{model}/infer")
}

impl Service for OnnxModels {
    fn pages(&self) -> Vec<(String, Value)> {
        let server = json!({
            "name": "wasmai-engine",
            "version": env!("CARGO_PKG_VERSION"),
            "extensions": ["binary_tensor_data"],
        });
        let mut pages = vec![("/v2".to_owned(), server)];
        for model in &self.models {
            let ports = |ports: &[Port]| ports.iter().map(Port::to_json).collect::<Vec<_>>();
            let path = format!("/v2/models/{}", model.name);
            let metadata = json!({
                "name": model.name,
                "platform": "onnx_tract",
                "inputs": ports(&model.inputs),
                "outputs": ports(&model.outputs),
            });
            pages.push((format!("{path}/ready"), json!({ "name": model.name, "ready": true })));
            pages.push((path, metadata));
        }
        pages
    }

    fn work_paths(&self) -> Vec<String> {
        self.models.iter().map(|model| infer_path(&model.name)).collect()
    }

    /// A request may name its model in `model_name`, as responses do; else the first is meant.
    fn one_shot_path(&self, request: &Value) -> String {
        infer_path(request["model_name"].as_str().unwrap_or(&self.models[0].name))
    }

    fn serve(&mut self, request: &Request, reply: &mut dyn Reply) {
        let path = request.path.trim_end_matches('/');
        let Some(model) = self.models.iter_mut().find(|model| infer_path(&model.name) == path) else {
            return reply.send(refused(path, &Refusal::new(404, "there is no such model")));
        };
        match Self::infer(model, request, reply) {
            Ok(Some(response)) => reply.send(response),
            Ok(None) => {}
            Err(refusal) => reply.send(refused(path, &refusal)),
        }
    }
}
