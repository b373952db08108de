//! Execution plans: a model prepared for the shapes of its inputs.
//!
//! A plan with symbols for free dimensions serves every shape and is made at start. Some models
//! do not allow that; theirs are made for one set of shapes each, when those first appear. A plan
//! for one set of shapes is faster than the general one, up to twice, so shapes that come again and
//! again get theirs as well.

use super::convolution;
use super::describe::Port;
use super::softmax;
use crate::log;
use serde_json::json;
use std::time::Instant;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::HashMap;
use tract_onnx::tract_hir::infer::Factoid;

pub type Plan = Arc<TypedRunnableModel>;
type Shapes = Vec<Vec<usize>>;

/// Plans for single shapes kept at a time: each holds memory of its own.
const MOST_PLANS: usize = 4;
/// Requests in a row with the same shapes until these get a plan. Making one takes as long as
/// several inferences, during which nobody is answered.
const OFTEN: usize = 8;

pub struct Plans {
    source: Source,
    inputs: Vec<Port>,
    /// For every shape.
    general: Option<Plan>,
    /// For one set of shapes each, the last used at the end.
    special: Vec<(Shapes, Plan)>,
    /// The last shapes without a plan of their own, and how often they came in a row.
    last: (Shapes, usize),
}

/// What plans are made of.
enum Source {
    /// With symbols for free dimensions.
    Symbolic(TypedModel),
    /// As it is in the file.
    File(InferenceModel),
}

impl Plans {
    /// Tries the general plan. `Err` is why there is none.
    pub fn new(template: InferenceModel, inputs: Vec<Port>) -> (Self, TractResult<()>) {
        let (source, general, made) = match symbolic(&template, &inputs) {
            Ok((model, plan)) => (Source::Symbolic(model), Some(plan), Ok(())),
            Err(error) => (Source::File(template), None, Err(error)),
        };
        (Self { source, inputs, general, special: Vec::new(), last: (Vec::new(), 0) }, made)
    }

    /// The plan for these input shapes; made if need be.
    pub fn for_shapes(&mut self, shapes: &[Vec<usize>]) -> TractResult<Plan> {
        if let Some(at) = self.special.iter().position(|(known, _)| known == shapes) {
            let found = self.special.remove(at);
            let plan = found.1.clone();
            self.special.push(found);
            return Ok(plan);
        }
        match &self.general {
            None => self.prepare(shapes),
            Some(general) => {
                let general = general.clone();
                if self.comes_often(shapes) {
                    match self.prepare(shapes) {
                        Ok(plan) => return Ok(plan),
                        Err(error) => {
                            log::warn("no plan made", json!({ "reason": error.root_cause().to_string() }));
                        }
                    }
                }
                Ok(general)
            }
        }
    }

    /// Makes the plan for one set of shapes.
    pub fn prepare(&mut self, shapes: &[Vec<usize>]) -> TractResult<Plan> {
        let began = Instant::now();
        let model = match &self.source {
            Source::Symbolic(model) => with_shapes(model, shapes)?,
            Source::File(model) => {
                let mut model = model.clone();
                for (input, (port, shape)) in self.inputs.iter().zip(shapes).enumerate() {
                    let fact = InferenceFact::dt_shape(port.datatype.to_tract(), shape.as_slice());
                    model.set_input_fact(input, fact)?;
                }
                typed(model)?
            }
        };
        let plan = plan(model)?;
        let took = log::milliseconds(began.elapsed());
        log::info("plan made", json!({ "shapes": shapes, "took_ms": took }));
        if self.special.len() == MOST_PLANS {
            self.special.remove(0);
        }
        self.special.push((shapes.to_vec(), plan.clone()));
        Ok(plan)
    }

    /// Counts; true once for shapes that come in a row, unless all are fixed anyway.
    fn comes_often(&mut self, shapes: &[Vec<usize>]) -> bool {
        if self.inputs.iter().all(|port| port.shape.iter().all(Option::is_some)) {
            return false;
        }
        if self.last.0 == shapes {
            self.last.1 += 1;
        } else {
            self.last = (shapes.to_vec(), 1);
        }
        self.last.1 == OFTEN
    }
}

/// The model with symbols, and its plan.
fn symbolic(template: &InferenceModel, inputs: &[Port]) -> TractResult<(TypedModel, Plan)> {
    let mut model = template.clone();
    for (input, port) in inputs.iter().enumerate() {
        let mut fact = model.input_fact(input)?.clone();
        for axis in 0..port.shape.len() {
            let free = fact.shape.dim(axis).is_none_or(|dimension| dimension.concretize().is_none());
            if free {
                let symbol = model.symbols.new_with_prefix("free");
                fact.shape.set_dim(axis, symbol.into());
            }
        }
        model.set_input_fact(input, fact)?;
    }
    let model = typed(model)?;
    let plan = plan(model.clone())?;
    Ok((model, plan))
}

/// The model with our operators in it.
fn typed(model: InferenceModel) -> TractResult<TypedModel> {
    let mut model = model.into_typed()?;
    model.prop_consts()?;
    convolution::pack(convolution::replace(model)?.into_decluttered()?)
}

/// The model with values for its symbols.
fn with_shapes(model: &TypedModel, shapes: &[Vec<usize>]) -> TractResult<TypedModel> {
    let mut values: HashMap<Symbol, TDim> = HashMap::new();
    for (input, shape) in shapes.iter().enumerate() {
        for (dimension, length) in model.input_fact(input)?.shape.iter().zip(shape) {
            if let TDim::Sym(symbol) = dimension {
                let known = values.insert(symbol.clone(), length.into());
                if known.is_some_and(|known| known != TDim::from(length)) {
                    return Err(TractError::msg(format!("{symbol} would have two lengths")));
                }
            }
        }
    }
    model.set_symbols(&values)?.into_decluttered()
}

fn plan(model: TypedModel) -> TractResult<Plan> {
    let mut model = softmax::along_last_axes(model)?;
    model.optimize()?;
    model.into_runnable()
}
