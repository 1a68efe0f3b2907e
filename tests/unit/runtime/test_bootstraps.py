"""Functions that bring their own runtime, in languages that have none here: a shell script, a compiled program."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.runtime import Runtime
from tests.unit.runtime.test_pool import log
from tests.unit.runtime.test_processes import function

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.cloud import Cloud

SHELL = r"""#!/bin/bash
ask() { # request line, body: sets id and answer
  exec 9<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API%:*}/${AWS_LAMBDA_RUNTIME_API#*:}"
  printf '%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s' "$1" "${#2}" "$2" >&9
  length=0
  while IFS= read -r line <&9; do
    line=${line%$'\r'}
    [ -z "$line" ] && break
    case "${line,,}" in
      content-length:*) length=${line#*: } ;;
      lambda-runtime-aws-request-id:*) id=${line#*: } ;;
    esac
  done
  IFS= read -r -N "$length" answer <&9
  exec 9>&-
}
while true; do
  ask "GET /2018-06-01/runtime/invocation/next" ""
  event=$answer
  echo "shell has $event"
  ask "POST /2018-06-01/runtime/invocation/$id/response" "{\"handler\":\"$_HANDLER\",\"event\":$event}"
done
"""
RUST = r"""
use std::{env, io::{BufRead, BufReader, Read, Write}, net::TcpStream};

fn ask(head: &str, body: &str) -> (String, String) {
    let mut peer = TcpStream::connect(env::var("AWS_LAMBDA_RUNTIME_API").unwrap()).unwrap();
    write!(peer, "{head} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut reader = BufReader::new(peer);
    let (mut length, mut id) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end();
        if line.is_empty() { break; }
        if let Some((name, value)) = line.split_once(": ") {
            match name.to_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "lambda-runtime-aws-request-id" => id = value.to_string(),
                _ => (),
            }
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (id, String::from_utf8(body).unwrap())
}

fn main() {
    let base = "/2018-06-01/runtime/invocation";
    loop {
        let (id, event) = ask(&format!("GET {base}/next"), "");
        println!("rust has {event}");
        let handler = env::var("_HANDLER").unwrap();
        ask(&format!("POST {base}/{id}/response"), &format!("{{\"handler\":\"{handler}\",\"event\":{event}}}"));
    }
}
"""


def built(folder: Path, language: str) -> None:
    """The bootstrap of a language in a folder; the test is skipped where there is no compiler for it."""
    folder.mkdir(exist_ok=True)
    bootstrap = folder / "bootstrap"
    if language == "shell":
        if shutil.which("bash") is None:
            pytest.skip("there is no bash on this machine")
        bootstrap.write_text(SHELL)
        bootstrap.chmod(0o755)
        return
    compiler = shutil.which("rustc")
    if compiler is None:
        pytest.skip("there is no rustc on this machine")
    (folder / "main.rs").write_text(RUST)
    subprocess.run(
        [compiler, "--edition", "2021", "-o", str(bootstrap), str(folder / "main.rs")], check=True, cwd=folder
    )


@pytest.mark.parametrize("language", ["shell", "rust"])
def test_a_bootstrap_in_any_language(cloud: Cloud, tmp_path: Path, language: str) -> None:
    """It is given events and its handler's name, one process for all of them, and what it prints is in the log."""
    spec = function(tmp_path / "code", runtime="provided.al2023", handler="mine")
    built(spec.code, language)
    with Runtime(logs=cloud.logs) as runtime:
        outcomes = [runtime.invoke(spec, json.dumps({"n": number}).encode()) for number in range(2)]
    answers: list[Any] = [json.loads(outcome.payload) for outcome in outcomes]
    assert answers == [{"handler": "mine", "event": {"n": number}} for number in range(2)]
    assert [outcome.cold_start for outcome in outcomes] == [True, False]
    said = [line.rstrip("\n") for line in log(cloud) if line.startswith(language)]
    assert said == [f'{language} has {{"n": {number}}}' for number in range(2)]
