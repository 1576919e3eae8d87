//! Notes the compiler's version, which the manifest of every plugin states.

fn main() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = std::process::Command::new(rustc)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .unwrap_or_else(|| "unknown".into());
    println!("cargo:rustc-env=EYEMAP_RUSTC={}", version.trim());
    println!("cargo:rerun-if-changed=build.rs");
}
