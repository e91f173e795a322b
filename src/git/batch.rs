//! A long-lived `git cat-file` that is asked for one object after another.

use super::program::GitError;
use super::room::Room;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout};

/// What a process answers with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mode {
    /// Kind, size and contents.
    Contents,
    /// Kind and size.
    Sizes,
}

/// What git knows of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) is_blob: bool,
    pub(crate) size: u64,
}

/// Reads what git says of an object before its contents; `None` when it is not there.
pub(super) fn header(output: &mut impl BufRead) -> io::Result<Option<Header>> {
    let mut line = Vec::new();
    output.take(1 << 10).read_until(b'\n', &mut line)?;
    let line = String::from_utf8_lossy(&line);
    let words: Vec<&str> = line.trim_end().split(' ').collect();
    match words.as_slice() {
        [_, "missing"] => Ok(None),
        [_, kind, size] => {
            let size = size.parse().map_err(|_| io::Error::other("git's answer has no size"))?;
            Ok(Some(Header { is_blob: *kind == "blob", size }))
        }
        _ => Err(io::Error::other("git ended or gave no readable answer")),
    }
}

/// The process. It is killed when dropped.
#[derive(Debug)]
pub(crate) struct Batch {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Batch {
    pub(crate) fn start(room: &Room, mode: Mode) -> Result<Self, GitError> {
        let option = match mode {
            Mode::Contents => "--batch",
            Mode::Sizes => "--batch-check",
        };
        let mut child = room.call(&["cat-file", option])?.start()?;
        let stdin = child.stdin.take().expect("the pipe was asked for");
        let stdout = BufReader::new(child.stdout.take().expect("the pipe was asked for"));
        Ok(Self { child, stdin, stdout })
    }

    /// Asks for an object; `None` when it is not there. In mode [`Mode::Contents`] the contents follow and have
    /// to be read.
    pub(crate) fn ask(&mut self, id: &str) -> io::Result<Option<Header>> {
        self.stdin.write_all(format!("{id}\n").as_bytes())?;
        header(&mut self.stdout)
    }

    /// Reads the contents of the object asked for last, of which `size` bytes were announced.
    pub(crate) fn contents(&mut self, size: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.stdout.by_ref().take(size + 1).read_to_end(&mut bytes)?;
        // A line end closes each answer.
        match bytes.pop() {
            Some(b'\n') if bytes.len() as u64 == size => Ok(bytes),
            _ => Err(io::Error::other("git broke off inside of an object")),
        }
    }
}

#[cfg(test)]
impl Batch {
    pub(crate) fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // It may have ended already; either way nothing is left to be done about it.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
