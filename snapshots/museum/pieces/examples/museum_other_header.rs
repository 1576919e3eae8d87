//! A plugin that was built with another abi_stable: the header at its entry says so, and nothing behind
//! the header may be read.

use eyemap_fixtures::abi::abi_stable::library::AbiHeader;

const MANIFEST: &str =
    eyemap_fixtures::manifest!("org.eyemap.museum.other-header", r#""eyemap.color/1""#);

#[used]
#[unsafe(link_section = ".eyemap.manifest")]
static IN_FILE: [u8; MANIFEST.len()] = eyemap_fixtures::bytes(MANIFEST);

/// As abi_stable's `AbiHeader`, and then bytes that are no pointers.
#[repr(C)]
pub struct OtherHeader {
    magic: [u8; 32],
    major: u32,
    minor: u32,
    rest: [u64; 64],
}

/// The one symbol that a plugin exports.
#[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
static ENTRY: OtherHeader = OtherHeader {
    magic: AbiHeader::VALUE.magic_string,
    major: AbiHeader::VALUE.abi_major,
    minor: AbiHeader::VALUE.abi_minor + 1,
    rest: [0x5a5a_5a5a_5a5a_5a5a; 64],
};
