//! Changed tables: each is read or refused, and what is refused leaves nothing.

use std::{io::Write as _, sync::Arc};

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use flate2::{Compression, write::GzEncoder};

use crate::trial::{Fault, Trial};

/// What numbers, ids and names are replaced by.
const HOSTILE: [&str; 22] = [
    "",
    "-1",
    "1e308",
    "-1.7e308",
    "1e-320",
    "0.99999999999999999999",
    "9007199254740993.0",
    "99999999999999999999",
    "2147483647",
    "-2147483648",
    "NaN",
    "inf",
    "0x10",
    "1,000",
    "\"",
    "\"\"\"",
    "\u{1b}[2J",
    "\u{202e}cba",
    "\0",
    "../../etc/passwd",
    "\r",
    ";",
];

const FORMS: [&str; 4] = [
    "table.csv",
    "table.csv.gz",
    "table.parquet",
    "table.feather",
];

pub(crate) fn run(trial: &mut Trial) -> Result<(), Fault> {
    let name = *trial.pick(&FORMS);
    let rows = trial.random.usize(1..200);
    let mut bytes = match name {
        "table.csv" => text(trial, rows),
        "table.csv.gz" => packed(&text(trial, rows))?,
        "table.parquet" => parquet(&batch(trial, rows)?)?,
        _ => feather(&batch(trial, rows)?)?,
    };
    for _ in 0..trial.random.usize(0..4) {
        mutate(trial, &mut bytes);
    }
    trial.write(name, &bytes);
    let ended =
        trial.run(&mut trial.eyemap(&["render", name, "-o", "out", "--format", "svg,json"]))?;
    let left = trial.files("out");
    if ended.code == Some(2) && !left.is_empty() {
        let names: Vec<&String> = left.keys().take(5).collect();
        return Err(format!(
            "a table that was refused left {names:?}:\n{}",
            ended.said
        ));
    }
    for (name, bytes) in left {
        whole(&name, &bytes)?;
    }
    Ok(())
}

/// A picture can be read as what its name says.
pub(crate) fn whole(name: &str, bytes: &[u8]) -> Result<(), Fault> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("{name}: {error}"))?;
    if name.ends_with(".svg") {
        roxmltree::Document::parse(text).map_err(|error| format!("{name}: {error}"))?;
    } else if name.ends_with(".json") {
        serde_json::from_str::<serde_json::Value>(text)
            .map_err(|error| format!("{name}: {error}"))?;
    } else if name.ends_with(".jsonl") {
        for line in text.lines() {
            serde_json::from_str::<serde_json::Value>(line)
                .map_err(|error| format!("{name}: {error}"))?;
        }
    } else if name.ends_with(".tmp") {
        return Err(format!("{name} is half of something"));
    }
    Ok(())
}

/// Rows, some of whose cells are hostile.
fn text(trial: &mut Trial, rows: usize) -> Vec<u8> {
    let mut text = b"cell_type,region,side,hex1,hex2,layer,synapses\n".to_vec();
    for row in 0..rows {
        let mut cells = [
            format!("T{}", row % 3),
            "ME".into(),
            "R".into(),
            format!("{}", row % 20),
            format!("{}", row / 20),
            "0".into(),
            format!("{row}"),
        ];
        if trial.random.u8(..) < 3 {
            let cell = trial.random.usize(..cells.len());
            cells[cell] = (*trial.pick(&HOSTILE)).into();
        }
        text.extend_from_slice(cells.join(",").as_bytes());
        text.push(b'\n');
    }
    text
}

fn packed(text: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(text).and_then(|()| encoder.finish());
    packed.map_err(|error| error.to_string())
}

fn batch(trial: &mut Trial, rows: usize) -> Result<RecordBatch, Fault> {
    let of = |value: &dyn Fn(i64) -> i64| -> ArrayRef {
        Arc::new((0..rows as i64).map(value).collect::<Int64Array>())
    };
    let text = |word: &dyn Fn(usize) -> String| -> ArrayRef {
        Arc::new(
            (0..rows)
                .map(|row| Some(word(row)))
                .collect::<StringArray>(),
        )
    };
    let odd = trial.random.usize(..rows * 8);
    let hostile = (*trial.pick(&HOSTILE)).to_owned();
    let name = |row: usize| match row == odd {
        true => hostile.clone(),
        false => format!("T{}", row % 3),
    };
    RecordBatch::try_from_iter([
        ("cell_type", text(&name)),
        ("region", text(&|_| "ME".into())),
        ("side", text(&|_| "R".into())),
        ("hex1", of(&|row| row % 20)),
        ("hex2", of(&|row| row / 20)),
        ("synapses", of(&|row| row)),
    ])
    .map_err(|error| error.to_string())
}

fn parquet(batch: &RecordBatch) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None)
        .map_err(|error| error.to_string())?;
    writer.write(batch).map_err(|error| error.to_string())?;
    writer.close().map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn feather(batch: &RecordBatch) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let mut writer = arrow_ipc::writer::FileWriter::try_new(&mut bytes, &batch.schema())
        .map_err(|error| error.to_string())?;
    writer.write(batch).map_err(|error| error.to_string())?;
    writer.finish().map_err(|error| error.to_string())?;
    drop(writer);
    Ok(bytes)
}

/// Changes, removes or repeats a piece, as a damaged disk, a bad copy or somebody who means it would.
pub(crate) fn mutate(trial: &mut Trial, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let at = trial.random.usize(..bytes.len());
    let length = trial.random.usize(1..=16).min(bytes.len() - at);
    match trial.random.u8(..6) {
        0 => bytes[at] ^= 1 << trial.random.u8(..8),
        1 => bytes.truncate(at),
        2 => drop(bytes.drain(at..at + length)),
        3 => {
            let piece = bytes[at..at + length].to_vec();
            bytes.splice(at..at, piece);
        }
        4 => bytes[at..at + length].fill(*trial.pick(&[0, 0x7f, 0x80, 0xff])),
        _ => {
            let word = trial.pick(&HOSTILE).as_bytes().to_vec();
            bytes.splice(at..at + length, word);
        }
    }
}
