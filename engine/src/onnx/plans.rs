//! Execution plans: a model prepared for the shapes of its inputs.
//!
//! A plan with symbols for free dimensions serves every shape and is made at start. Some models
//! do not allow that; theirs are made for one set of shapes each, when those first appear.

use super::describe::Port;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::Factoid;

pub type Plan = Arc<TypedRunnableModel>;

/// Plans for single shapes kept at a time: each holds a copy of the packed weights.
const MOST_PLANS: usize = 4;

pub struct Plans {
    template: InferenceModel,
    inputs: Vec<Port>,
    /// For every shape.
    general: Option<Plan>,
    /// For one set of shapes each, the last used at the end.
    special: Vec<(Vec<Vec<usize>>, Plan)>,
}

impl Plans {
    /// Tries the general plan. `Err` is why there is none.
    pub fn new(template: InferenceModel, inputs: Vec<Port>) -> (Self, TractResult<()>) {
        let mut plans = Self { template, inputs, general: None, special: Vec::new() };
        let made = plans.make_general().map(|plan| plans.general = Some(plan));
        (plans, made)
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
            Some(plan) => Ok(plan.clone()),
            None => self.prepare(shapes),
        }
    }

    /// Makes the plan for one set of shapes, which is never slower than the general one.
    pub fn prepare(&mut self, shapes: &[Vec<usize>]) -> TractResult<Plan> {
        let mut model = self.template.clone();
        for (input, (port, shape)) in self.inputs.iter().zip(shapes).enumerate() {
            model
                .set_input_fact(input, InferenceFact::dt_shape(port.datatype.to_tract(), shape.as_slice()))?;
        }
        let plan = model.into_optimized()?.into_runnable()?;
        if self.special.len() == MOST_PLANS {
            self.special.remove(0);
        }
        self.special.push((shapes.to_vec(), plan.clone()));
        Ok(plan)
    }

    fn make_general(&self) -> TractResult<Plan> {
        let mut model = self.template.clone();
        for input in 0..self.inputs.len() {
            let mut fact = model.input_fact(input)?.clone();
            for axis in 0..self.inputs[input].shape.len() {
                let free = fact.shape.dim(axis).is_none_or(|dimension| dimension.concretize().is_none());
                if free {
                    let symbol = model.symbols.new_with_prefix("free");
                    fact.shape.set_dim(axis, symbol.into());
                }
            }
            model.set_input_fact(input, fact)?;
        }
        model.into_optimized()?.into_runnable()
    }
}
