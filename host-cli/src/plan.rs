//! `eyemap plan`.

use std::{path::Path, process::ExitCode};

use eyemap_engine::{
    ingest::table_files,
    plan::{PlanFile, outline, plan},
    render::all_formats,
    sink::write_atomically,
};

use crate::{
    args::PlanArgs,
    failure::{Failure, USAGE},
    files::Files,
    out,
    render::apply_maps,
    session::{self, Given},
};

pub(crate) fn run(args: &PlanArgs) -> Result<ExitCode, Failure> {
    let (mut config, source) = session::config(args.table.config.as_deref())?;
    apply_maps(&args.maps, &mut config);
    if let Some((key, message)) = config.wrong_value() {
        return Err(Failure::new(USAGE, format!("{key}: {message}")));
    }
    let mut files = Files::of_table(&args.table, &config);
    files.writes("-o", Some(&*args.out).filter(|out| *out != Path::new("-")));
    files.check()?;
    let cancel = session::stop_on_interrupt()?;
    let finder = session::finder(&config, &source, Given::locks(&args.trusted))?;
    let pipeline = session::pipeline(&config, &source, &finder)?;
    let dataset = session::dataset(&args.table, &config, (None, None), &cancel)?;
    let requests = plan(&dataset, &config.select)?.requests;
    let tables = table_files(&args.table.tables)?;
    let formats = all_formats(&config.output.formats, config.output.index);
    let planned = outline(
        (&dataset, &requests),
        (&config, args.table.config.as_deref()),
        &pipeline,
        (&tables, session::atlas(&args.table, &config)),
        (&formats, args.shard_size),
    )?;
    write(args, &planned)?;
    if !args.table.json {
        lines(&planned).iter().for_each(|line| out::note(line));
    }
    Ok(ExitCode::SUCCESS)
}

fn write(args: &PlanArgs, planned: &PlanFile) -> Result<(), Failure> {
    let text = format!("{:#}\n", serde_json::json!(planned));
    let to_terminal = args.out == Path::new("-");
    if to_terminal || args.table.json {
        out::text(&text)?;
    }
    if to_terminal {
        return Ok(());
    }
    write_atomically(&args.out, text.as_bytes()).map_err(|error| {
        let message = format!("cannot write {}: {error}", args.out.display());
        Failure::new(USAGE, message).help("choose another file with -o")
    })
}

fn lines(planned: &PlanFile) -> Vec<String> {
    let amount = planned.amount;
    let mut lines = vec![format!(
        "{} maps ({} blank) of {} cell types, about {}",
        amount.maps,
        amount.blank,
        amount.cell_types,
        out::bytes(amount.bytes)
    )];
    if planned.shard_bytes.is_some() {
        let largest = planned.shards.iter().map(|shard| shard.amount.bytes).max();
        lines.push(format!(
            "{} shards, the largest of about {}",
            planned.shards.len(),
            out::bytes(largest.unwrap_or(0))
        ));
    }
    for shard in planned.shards.iter().take(SHOWN) {
        if let (Some(first), Some(last)) = (&shard.first, &shard.last)
            && planned.shard_bytes.is_some()
        {
            lines.push(format!(
                "  {}: {} to {}, {} maps, about {}",
                shard.shard,
                out::plain(first),
                out::plain(last),
                shard.amount.maps,
                out::bytes(shard.amount.bytes)
            ));
        }
    }
    if planned.shards.len() > SHOWN {
        lines.push(format!("  and {} more", planned.shards.len() - SHOWN));
    }
    lines
}

/// More shards than these are in the file alone.
const SHOWN: usize = 8;
