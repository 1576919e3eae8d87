//! Who may run, and where: pins, modes, capabilities and permissions, as users meet them.

mod desk;
mod files;
mod modes;
mod pins;
