//! Contained plugins: what they answer is what they answer in this process, and what they do ends with them.

mod crashes;
mod culprits;
mod forms;
mod hostile;
mod policies;
mod same_answers;
mod threads;
