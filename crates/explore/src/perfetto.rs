//! A run for eyes: its records as JSON in Chrome's trace event format, which Perfetto opens.
//!
//! A host is a process; what happens on it is an instant on its line, a fault a bar until its end.

use std::fmt::Write;

use crate::outcome::{Line, Outcome};

/// The JSON of a run whose records were kept.
#[must_use]
pub fn json(outcome: &Outcome) -> String {
    let mut text = String::from("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
    for (number, host) in outcome.hosts.iter().enumerate() {
        let _ = writeln!(
            text,
            "{{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":{number},\"tid\":0,\
             \"args\":{{\"name\":{}}}}},",
            quoted(host)
        );
    }
    for line in &outcome.records {
        write_line(&mut text, line, &outcome.hosts);
    }
    let _ = write!(
        text,
        "{{\"ph\":\"i\",\"s\":\"g\",\"name\":{},\"pid\":0,\"tid\":0,\"ts\":{}}}\n]}}\n",
        quoted(outcome.failure_name().unwrap_or("end")),
        outcome.now.as_secs_f64() * 1e6
    );
    text
}

fn write_line(text: &mut String, line: &Line, hosts: &[String]) {
    let words = line.text.split([' ', ',']);
    let mut named = words.filter_map(|word| hosts.iter().position(|host| host == word));
    let host = named.next_back().unwrap_or(0);
    let kind = line.text.split(' ').next().unwrap_or_default();
    let _ = writeln!(
        text,
        "{{\"ph\":\"X\",\"name\":{},\"cat\":{},\"pid\":{host},\"tid\":0,\"ts\":{},\"dur\":1}},",
        quoted(&line.text),
        quoted(kind),
        line.at_ns as f64 / 1000.0
    );
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(letter));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_cannot_have_is_escaped() {
        assert_eq!(quoted("a \"b\"\\\n"), "\"a \\\"b\\\"\\\\\\u000a\"");
    }
}
