//! `cargo demo [COMMAND…]`: builds Orco and the demo's programs, then runs `orco COMMAND…` (by default `up`)
//! on the demo's stack file. It becomes `orco`: signals and exit codes are orco's own.

use std::{
    env,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use orco_demo::Result;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let built = built_beside_us()?;
    if !build(&built)? {
        return Ok(ExitCode::FAILURE);
    }
    let stack = Path::new(env!("CARGO_MANIFEST_DIR")).join("stack.yaml");
    let mut arguments = env::args_os().skip(1).peekable();
    let mut orco = Command::new(built.join("orco"));
    orco.arg("--file").arg(stack);
    if arguments.peek().is_none() {
        orco.arg("up");
    }
    orco.args(arguments);
    let error = orco.env("DEMO_BIN", &built).exec();
    Err(format!("{} does not start: {error}", built.join("orco").display()).into())
}

/// The folder of this program: with `--release` or another target folder, the others are there too.
fn built_beside_us() -> Result<PathBuf> {
    let program = env::current_exe()?;
    Ok(program.parent().ok_or("this program has no folder")?.to_owned())
}

fn build(built: &Path) -> Result<bool> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).args(["build", "--package", "orco-cli"]);
    build.args(["--package", "orco-demo", "--bins"]);
    if built.ends_with("release") {
        build.arg("--release");
    }
    if let Some(target) = built.parent() {
        build.arg("--target-dir").arg(target);
    }
    // After the first time there is nothing to say.
    if built.join("orco").exists() && built.join("worker").exists() {
        build.arg("--quiet");
    }
    Ok(build.status().map_err(|e| format!("cargo does not start: {e}"))?.success())
}
