//! Generates the C header and names the shared library.
//!
//! The header goes to `OUT_DIR` only: a build never writes into the source tree. `make header` copies it to
//! `include/datafeed.h`, and a test fails when the two differ.

use std::env;
use std::path::PathBuf;

/// In the order of the header.
const SOURCES: [&str; 6] = [
    "status.rs",
    "handle.rs",
    "feed.rs",
    "event.rs",
    "letters.rs",
    "report.rs",
];

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is valid");
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in SOURCES {
        builder = builder.with_src(root.join("src/ffi").join(source));
    }
    let mut header = Vec::new();
    builder
        .generate()
        .expect("the C interface can be written as a header")
        .write(&mut header);
    // Rust's own section about safety says what the parameters' comments say already.
    let header = without_safety_sections(&String::from_utf8(header).expect("a header is text"));
    std::fs::write(out.join("datafeed.h"), header).expect("OUT_DIR can be written");
    for watched in ["build.rs", "cbindgen.toml", "src/ffi"] {
        println!("cargo:rerun-if-changed={watched}");
    }
    name_library();
}

fn without_safety_sections(header: &str) -> String {
    let mut kept = String::new();
    let mut skipping = false;
    for line in header.lines() {
        if line.trim() == "// # Safety" {
            skipping = true;
            while kept.ends_with("//\n") {
                kept.truncate(kept.len() - 3);
            }
        } else if !line.starts_with("//") {
            skipping = false;
        }
        if !skipping {
            kept.push_str(line.trim_end());
            kept.push('\n');
        }
    }
    kept
}

/// While the version is 0.x every minor version may break the binary interface, so it is part of the name.
fn name_library() {
    let minor = env::var("CARGO_PKG_VERSION_MINOR").expect("cargo sets it");
    let linker_arguments: &[String] = match env::var("CARGO_CFG_TARGET_OS").expect("cargo sets it").as_str() {
        "macos" => &[format!("-Wl,-install_name,@rpath/libdatafeed.0.{minor}.dylib")],
        // `nodelete`: the library's threads and fork handler must not be unloaded under their feet.
        _ => &[
            format!("-Wl,-soname,libdatafeed.so.0.{minor}"),
            "-Wl,-z,nodelete".to_owned(),
        ],
    };
    for argument in linker_arguments {
        println!("cargo:rustc-cdylib-link-arg={argument}");
    }
}
