//! Pictures out.
