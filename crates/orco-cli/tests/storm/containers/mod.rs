//! Storms over stacks with containers, on a real engine. Each test has a stack, labels and a folder of its own.

mod behind;
mod dock;
mod foreground;
mod foreign;
mod lives;
mod look;
mod mixed;
mod output;
mod stops;
mod witness;
