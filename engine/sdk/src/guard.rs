//! Keeps panics inside the plugin.
//!
//! A panic that reaches the boundary ends the host process, and the host cannot catch it: each
//! library has its own runtime. So every call runs in [`guard`], which returns the panic as an error
//! with its message and source line.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    mem::ManuallyDrop,
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind},
    sync::Once,
};

use eyemap_abi::{
    ErrorKind, PluginError,
    abi_stable::std_types::{RErr, ROk, RResult},
};

thread_local! {
    static LAST_PANIC: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
    /// How many calls of the host are under way on this thread, one inside the other.
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

/// A call of the host that is under way.
struct Call;

impl Call {
    fn enter() -> Self {
        let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
        Self
    }

    fn is_under_way() -> bool {
        CALLS.try_with(|calls| calls.get() > 0).unwrap_or(false)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let _ = CALLS.try_with(|calls| calls.set(calls.get() - 1));
    }
}

/// Notes panics for [`guard`] in place of printing them: standard error belongs to the host. The
/// hook is the plugin's own, as its runtime is.
pub(crate) fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(note)));
}

fn note(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let message = message(info.payload());
    if !Call::is_under_way() {
        // A thread of the plugin's own has nobody to return its panic to but the log.
        tracing::error!("a thread panicked: {message} (at {place})");
    }
    // A thread that is ending has no such variable any more; the place is then lost.
    let _ = LAST_PANIC.try_with(|last| *last.borrow_mut() = Some((message, place)));
}

fn message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into())
}

/// The panic behind a payload as an error, and drops the payload.
fn caught(payload: Box<dyn Any + Send>) -> PluginError {
    let message = message(&*payload);
    let noted = LAST_PANIC.try_with(|last| last.borrow_mut().take());
    // A panic that came from another thread was noted there; an older note is not its place.
    let place = noted.ok().flatten().filter(|(noted, _)| *noted == message);
    drop_quietly(payload);
    let place = place.map_or_else(String::new, |(_, place)| place);
    PluginError::new(ErrorKind::Panic, format!("panicked: {message}")).at(place)
}

/// Runs a call of the plugin's own code and returns its panic as an error.
pub(crate) fn guard<T, R>(call: impl FnOnce() -> Result<T, PluginError>) -> RResult<R, PluginError>
where
    R: From<T>,
{
    let _call = Call::enter();
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => ROk(value.into()),
        Ok(Err(error)) => RErr(error),
        Err(payload) => RErr(caught(payload)),
    }
}

/// Drops a panic's payload, whose destructor may panic.
fn drop_quietly(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // Its destructor panics too; leaking the payload is the only way to stop.
        std::mem::forget(second);
    }
}

/// Owns a plugin's value, whose destructor may panic.
pub(crate) struct Guarded<T>(ManuallyDrop<T>);

impl<T> Guarded<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(ManuallyDrop::new(value))
    }
}

impl<T> std::ops::Deref for Guarded<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> std::ops::DerefMut for Guarded<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        // SAFETY: the value is not used after this; `Drop` runs once.
        let value = unsafe { ManuallyDrop::take(&mut self.0) };
        let dropped: RResult<(), _> = guard(move || {
            drop(value);
            Ok(())
        });
        if let RErr(error) = dropped {
            // A destructor has nobody to return its error to but the log.
            let _ = catch_unwind(|| tracing::error!("{error}, while a value was dropped"));
        }
    }
}
