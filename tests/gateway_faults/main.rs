//! Every fault that a gateway can have, in all four wire formats, against the whole binary: one reviewer is hit, another
//! one and the rules are not. Each row is a fault and what becomes of the hit reviewer; `table` tells what must hold
//! whatever the fault: the findings of the others are kept, the outcome is true, the reason names cause and fix, and the
//! key is told nowhere.

#[path = "../support/calls.rs"]
mod calls;
#[path = "../support/gateway.rs"]
mod gateway;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/review.rs"]
mod review;

mod answers;
mod bounds;
mod breaks;
mod errors;
mod framing;
mod gzip;
mod statuses;
mod table;
mod waits;
