//! Writes a fixture as files: `cargo run --example unpack -- tests/fixtures/t234-nano-r36.4.tree /tmp/nano`

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [tree, folder] = arguments.as_slice() else {
        return Err("usage: unpack TREE FOLDER".into());
    };
    fs::create_dir_all(folder)?;
    jetson_stats::fixtures::unpack(&fs::read_to_string(tree)?, Path::new(folder))?;
    Ok(())
}
