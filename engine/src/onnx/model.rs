//! One ONNX model, ready to answer.

use super::describe::{Description, Port};
use super::plans::Plans;
use super::{operators, read};
use crate::error::{Refusal, StartError};
use crate::log;
use crate::service::Flow;
use serde_json::json;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::plan::eval;

pub struct Model {
    pub name: String,
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
    plans: Plans,
}

/// What running a model came to.
pub enum Outcome {
    Outputs(Vec<TValue>),
    /// Nobody waits any more.
    Stopped,
}

impl Model {
    pub fn load(name: &str, path: &str) -> Result<Self, StartError> {
        Self::prepare(name, path).map_err(|error| error.in_file(path))
    }

    fn prepare(name: &str, path: &str) -> Result<Self, StartError> {
        let proto = read(path)?;
        let Description { inputs, outputs } = Description::of(&proto)?;
        let unsupported = operators::unsupported(&operators::used(&proto));
        if !unsupported.is_empty() {
            return Err(StartError::new(
                format!("the model uses operators that cannot run here: {}", unsupported.join(", ")),
                "Export it without them, or serve it with a container that holds onnxruntime",
            ));
        }
        // Declared shapes inside a graph are hints and often wrong once a batch is free.
        let template = tract_onnx::onnx()
            .with_ignore_output_shapes(true)
            .with_ignore_value_info(true)
            .model_for_proto_model(&proto)
            .map_err(|error| refused(&error))?;
        drop(proto);
        let (plans, general) = Plans::new(template, inputs.clone());
        if let Err(error) = general {
            let known: Option<Vec<Vec<usize>>> =
                inputs.iter().map(|port| port.shape.iter().copied().collect()).collect();
            match known {
                // Nothing is free, so there is nothing to try another way.
                Some(_) => return Err(refused(&error)),
                None => {
                    log::warn("plans are made per shape", json!({ "model": name, "reason": chain(&error) }));
                }
            }
        }
        Ok(Self { name: name.to_owned(), inputs, outputs, plans })
    }

    /// Makes the plan for given shapes of some inputs, and runs the model once where all its
    /// shapes are known. True if it ran.
    pub fn warm_up(&mut self, given: &[(String, Vec<usize>)]) -> Result<bool, StartError> {
        let mut shapes = Vec::new();
        for port in &self.inputs {
            let wanted = given.iter().find(|(name, _)| *name == port.name).map(|(_, shape)| shape.clone());
            let Some(shape) = wanted.or_else(|| port.shape.iter().copied().collect()) else {
                return Ok(false);
            };
            if !port.accepts(&shape) {
                return Err(StartError::usage(format!(
                    "--shape {}: the model takes {}, not {shape:?}",
                    port.name,
                    port.shape_json()
                )));
            }
            shapes.push(shape);
        }
        let chosen = self.inputs.iter().any(|port| given.iter().any(|(name, _)| *name == port.name));
        if chosen {
            self.plans.prepare(&shapes).map_err(|error| refused(&error))?;
        }
        let zeros = |(port, shape): (&Port, &Vec<usize>)| Tensor::zero_dt(port.datatype.to_tract(), shape);
        let inputs = self.inputs.iter().zip(&shapes).map(zeros).collect::<TractResult<Vec<_>>>();
        let ran = inputs.map_err(|error| refused(&error)).and_then(|inputs| {
            self.run(inputs, &mut || Flow::Continue(())).map_err(|refusal| {
                StartError::new(
                    refusal.message,
                    "Zeros may not suit the model; requests are served all the same",
                )
            })
        });
        if let Err(error) = &ran {
            log::warn("first inference failed", json!({ "model": self.name, "reason": error.to_string() }));
        }
        Ok(ran.is_ok())
    }

    /// Runs the model. Inputs stand in the model's order and suit its ports.
    pub fn run(&mut self, inputs: Vec<Tensor>, tick: &mut dyn FnMut() -> Flow) -> Result<Outcome, Refusal> {
        let shapes: Vec<Vec<usize>> = inputs.iter().map(|input| input.shape().to_vec()).collect();
        let failed = |error: &TractError| {
            Refusal::bad(format!("the model cannot run on these inputs: {}", chain(error)))
        };
        let plan = self.plans.for_shapes(&shapes).map_err(|error| failed(&error))?;
        let mut state = plan.spawn().map_err(|error| failed(&error))?;
        let mut stopped = false;
        let outputs = state.run_plan_with_eval(
            inputs.into_iter().map(IntoTValue::into_tvalue).collect(),
            |context, state, node, inputs| {
                // Between two nodes others are served: a node is the longest they wait.
                if tick().is_break() {
                    stopped = true;
                    return Err(TractError::msg("stopped"));
                }
                eval(context, state, node, inputs)
            },
        );
        match outputs {
            Ok(outputs) => Ok(Outcome::Outputs(outputs.into_iter().collect())),
            Err(_) if stopped => Ok(Outcome::Stopped),
            Err(error) => Err(failed(&error)),
        }
    }
}

fn refused(error: &TractError) -> StartError {
    StartError::new(
        format!("the model cannot be prepared: {}", chain(error)),
        "Simplify it (onnxsim), fix its input shapes at export, or serve it with a container that holds onnxruntime",
    )
}

/// An error with its causes, shortened: tract's messages can hold a whole node.
fn chain(error: &TractError) -> String {
    let parts: Vec<String> = error.chain().map(|part| part.to_string().chars().take(200).collect()).collect();
    parts.join(": ").chars().take(600).collect()
}
