//! Builds a manifest at compile time, so that it can sit in the file as a constant.

/// The constants of a manifest; see [`eyemap_abi::manifest::Manifest`] for their meaning.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
    pub id: &'static str,
    pub version: &'static str,
    pub license: &'static str,
    pub description: &'static str,
    pub extensions: &'static [&'static str],
    pub panic: &'static str,
    pub deterministic: bool,
    pub pure: bool,
    pub thread_safety: &'static str,
    pub chunk_invariant: bool,
    pub cost_hint_ns: u32,
}

/// Collects bytes, or only counts them when `N` is 0.
struct Writer<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Writer<N> {
    const fn byte(&mut self, byte: u8) {
        if N > 0 {
            self.bytes[self.len] = byte;
        }
        self.len += 1;
    }

    const fn raw(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            self.byte(bytes[i]);
            i += 1;
        }
    }

    const fn quoted(&mut self, text: &str) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let bytes = text.as_bytes();
        self.byte(b'"');
        let mut i = 0;
        while i < bytes.len() {
            match bytes[i] {
                byte @ (b'"' | b'\\') => {
                    self.byte(b'\\');
                    self.byte(byte);
                }
                byte @ 0..0x20 => {
                    self.raw("\\u00");
                    self.byte(HEX[(byte >> 4) as usize]);
                    self.byte(HEX[(byte & 15) as usize]);
                }
                byte => self.byte(byte),
            }
            i += 1;
        }
        self.byte(b'"');
    }

    const fn text(&mut self, key: &str, value: &str) {
        self.quoted(key);
        self.byte(b':');
        self.quoted(value);
        self.byte(b',');
    }

    const fn flag(&mut self, key: &str, value: bool) {
        self.quoted(key);
        self.raw(if value { ":true," } else { ":false," });
    }

    const fn number(&mut self, key: &str, value: u32) {
        self.quoted(key);
        self.byte(b':');
        let mut divisor = 1;
        while value / divisor >= 10 {
            divisor *= 10;
        }
        while divisor > 0 {
            self.byte(b'0' + (value / divisor % 10) as u8);
            divisor /= 10;
        }
    }

    const fn manifest(mut self, parts: &Parts) -> Self {
        self.byte(b'{');
        self.text("id", parts.id);
        self.text("version", parts.version);
        self.text("license", parts.license);
        self.text("description", parts.description);
        self.raw("\"extensions\":[");
        let mut i = 0;
        while i < parts.extensions.len() {
            if i > 0 {
                self.byte(b',');
            }
            self.quoted(parts.extensions[i]);
            i += 1;
        }
        self.raw("],");
        self.text("sdk", env!("CARGO_PKG_VERSION"));
        self.text("rustc", env!("EYEMAP_RUSTC"));
        self.text("panic", parts.panic);
        self.flag("deterministic", parts.deterministic);
        self.flag("pure", parts.pure);
        self.text("thread_safety", parts.thread_safety);
        self.flag("chunk_invariant", parts.chunk_invariant);
        self.number("cost_hint_ns", parts.cost_hint_ns);
        self.byte(b',');
        self.number("form", eyemap_abi::manifest::FORM);
        self.byte(b'}');
        self
    }
}

/// Length of the JSON in bytes.
pub const fn len(parts: &Parts) -> usize {
    Writer::<0> { bytes: [], len: 0 }.manifest(parts).len
}

/// The JSON. `N` is [`len`] of the same parts.
pub const fn json<const N: usize>(parts: &Parts) -> [u8; N] {
    Writer::<N> {
        bytes: [0; N],
        len: 0,
    }
    .manifest(parts)
    .bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: Parts = Parts {
        id: "org.example.x",
        version: "1.2.3",
        license: "MIT",
        description: "says \"hé\\\n\"",
        extensions: &["eyemap.color/1", "eyemap.describe/1"],
        panic: "unwind",
        deterministic: true,
        pure: false,
        thread_safety: "sync",
        chunk_invariant: true,
        cost_hint_ns: 1205,
    };
    static JSON: [u8; len(&PARTS)] = json(&PARTS);

    #[test]
    fn the_constant_is_the_manifest_as_json() {
        let read: eyemap_abi::manifest::Manifest =
            serde_json::from_slice(&JSON).expect("a manifest");
        assert_eq!(read.description, PARTS.description);
        assert_eq!(read.extensions, PARTS.extensions);
        assert_eq!((read.form, read.cost_hint_ns), (1, 1205));
        assert_eq!((read.deterministic, read.pure), (true, false));
        assert!(read.rustc.starts_with("rustc "), "{}", read.rustc);
    }
}
