//! How the advice is told: in words with TOML to paste, and as data.

use comfy_table::{CellAlignment, Table, presets::NOTHING};
use eyemap_engine::{
    cache::{Choice, TraceFacts, Tuned, WORTH_DOUBLING},
    config::Size,
};
use serde_json::{Value, json};

use super::{Advice, FEW, Part, Place, saves_nothing};
use crate::{
    cache::{lines, percent, seconds, title},
    failure::Failure,
    out,
};

impl Place {
    const fn title(self) -> &'static str {
        match self {
            Self::Memory => "caches in memory",
            Self::Store => "store",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Store => "store",
        }
    }

    /// Why a trace says nothing about it, and what to do.
    const fn too_short(self) -> &'static str {
        match self {
            Self::Memory => {
                "the trace is too short to advise: nothing was asked for twice in one run. Caches in memory pay in a process that stays; record one of those"
            }
            Self::Store => {
                "the trace is too short to advise: no map was asked for twice. A store pays across runs and directories; record further runs into the same file"
            }
        }
    }
}

/// What a share is a share of.
fn measure(facts: &TraceFacts) -> &'static str {
    match facts.has_costs() {
        true => "time saved",
        false => "hit ratio",
    }
}

impl Part {
    /// The line below the table.
    fn reason(&self, tuned: Option<&Tuned<'_>>) -> String {
        let worth = percent(WORTH_DOUBLING);
        match tuned {
            None => self.place.too_short().into(),
            Some(tuned) if saves_nothing(&self.facts, tuned) => {
                "no capacity tried saves anything, so there is nothing to advise".into()
            }
            Some(tuned) if tuned.open => format!(
                "* the largest capacity tried; twice of it would save {worth} more or above, so try larger ones"
            ),
            Some(_) => {
                format!("* the smallest capacity from which on doubling adds less than {worth}")
            }
        }
    }

    fn words(&self, tuned: Option<&Tuned<'_>>) -> String {
        let mut text = format!(
            "{}: {} requests for {} keys of {} in all\n",
            self.place.title(),
            self.facts.requests,
            self.facts.keys,
            Size::of_bytes(self.facts.footprint_bytes).short()
        );
        if let Some(tuned) = tuned {
            text += &format!("{}\n", lines(&table(&self.facts, tuned)));
        }
        text + &self.reason(tuned) + "\n"
    }

    /// The advice; none where too little was recorded for one, or nothing can be saved.
    fn advised<'t>(&self, tuned: Option<&'t Tuned<'t>>) -> Option<&'t Tuned<'t>> {
        tuned.filter(|tuned| self.repeated() >= FEW && !saves_nothing(&self.facts, tuned))
    }

    /// What to paste; nothing where nothing can be advised.
    fn toml(&self, tuned: Option<&Tuned<'_>>) -> String {
        let Some(tuned) = self.advised(tuned) else {
            return String::new();
        };
        let chosen = &tuned.choices[tuned.advised];
        let (policy, capacity) = (
            toml_text(&chosen.best.policy),
            Size::of_bytes(chosen.capacity),
        );
        let table = match self.place {
            Place::Memory => {
                "[cache]  # [cache.artifacts] takes this policy too, unless it names its own"
            }
            Place::Store => {
                "[cache.artifacts]  # what is in the store beyond the capacity goes when it is next used\n\
                 # store = \".eyemap/cache\"  # its directory"
            }
        };
        format!("{table}\npolicy = {policy}\ncapacity = \"{capacity}\"\n")
    }

    fn document(&self, tuned: Option<&Tuned<'_>>) -> Value {
        let facts = &self.facts;
        let choice = |choice: &Choice<'_>| {
            json!({
                "capacity_bytes": choice.capacity,
                "best": choice.best.policy,
                "worth": choice.best.worth(facts),
                "hits": choice.best.replayed.hits,
                "hit_cost_ns": facts.has_costs().then_some(choice.best.replayed.hit_cost_ns),
                "doubling_adds": choice.doubling,
                "next": choice.next.map(|next| &next.policy),
                "next_worth": choice.next.map(|next| next.worth(facts)),
            })
        };
        let advised = self.advised(tuned);
        let chosen = advised.map(|tuned| &tuned.choices[tuned.advised]);
        json!({
            "cache": self.place.word(),
            "requests": facts.requests,
            "keys": facts.keys,
            "footprint_bytes": facts.footprint_bytes,
            "measure": if facts.has_costs() { "share_of_cost_saved" } else { "hit_ratio" },
            "too_short": self.repeated() < FEW,
            "reason": self.reason(tuned),
            "choices": tuned.map(|tuned| tuned.choices.iter().map(choice).collect::<Vec<_>>()),
            "policy": chosen.map(|chosen| &chosen.best.policy),
            "capacity_bytes": chosen.map(|chosen| chosen.capacity),
            "doubling_still_pays": advised.map(|tuned| tuned.open),
        })
    }
}

impl Advice<'_> {
    pub(super) fn words(&self) -> Result<String, Failure> {
        let (mut text, mut toml, mut shares) = (String::new(), String::new(), Vec::new());
        for part in self.parts {
            let tuned = part.tuned()?;
            text += &part.words(tuned.as_ref());
            text += "\n";
            let advised = part.toml(tuned.as_ref());
            if let Some(tuned) = tuned.filter(|_| !advised.is_empty()) {
                let share = tuned.choices[tuned.advised].best.worth(&part.facts);
                let (place, measure) = (part.place.title(), measure(&part.facts));
                shares.push(format!("{place}, {measure} up to {}", percent(share)));
            }
            toml += &advised;
        }
        for note in self.notes() {
            text += &format!("{note}\n");
        }
        let title = out::plain(&title(&self.args.sweep));
        let shares = match shares.as_slice() {
            [] => "nothing to change".into(),
            shares => shares.join("; "),
        };
        Ok(text + &format!("\n# for requests like those of {title}: {shares}\n{toml}"))
    }

    pub(super) fn document(&self) -> Result<Value, Failure> {
        let (mut parts, mut toml) = (Vec::new(), String::new());
        for part in self.parts {
            let tuned = part.tuned()?;
            parts.push(part.document(tuned.as_ref()));
            toml += &part.toml(tuned.as_ref());
        }
        let answers = self.saved().map(
            |(_, answers)| json!({ "requests": answers.requests, "cost_ns": answers.cost_ns }),
        );
        let [output, store] = answers;
        Ok(json!({
            "trace": self.bench.document(&self.args.sweep),
            "parts": parts,
            "saved_by_output_directory": output,
            "saved_by_store": store,
            "toml": toml,
            "notes": self.notes(),
        }))
    }

    /// What the figures do not say.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (name, answers) in self.saved().into_iter().filter(|(_, a)| a.requests > 0) {
            let (n, saved) = (answers.requests, seconds(answers.cost_ns));
            notes.push(match answers.cost_ns {
                0 => format!("{name} answered {n} requests; leave it as it is."),
                _ => format!("{name} answered {n} requests, which saved {saved} of drawing; leave it as it is."),
            });
        }
        let replayed = self.parts.iter().filter(|part| part.repeated() > 0);
        for part in replayed.clone().filter(|part| part.repeated() < FEW) {
            notes.push(format!(
                "{}: only {} requests ask for something again, too few to advise anything: record more.",
                part.place.title(),
                part.repeated()
            ));
        }
        if replayed.clone().next().is_some() {
            notes.push("Figures are upper bounds for requests like those of the trace; others may save less.".into());
            notes.push("Looking up, storing and the policy's own work are not taken off.".into());
        }
        if replayed.clone().any(|part| !part.facts.has_costs()) {
            notes.push("The trace has no costs, so policies are judged by their hit ratio.".into());
        }
        if replayed
            .clone()
            .any(|part| part.place == Place::Memory && part.facts.mixed)
        {
            notes.push("The caches in memory were replayed as one; [cache] gives the capacity to each of them.".into());
        }
        notes
    }
}

fn table(facts: &TraceFacts, tuned: &Tuned<'_>) -> Table {
    let measure = measure(facts);
    let mut table = Table::new();
    let head = [
        "",
        "capacity",
        "best",
        measure,
        "doubling adds",
        "next",
        measure,
    ];
    table.load_style(NOTHING).set_header(head);
    for (i, choice) in tuned.choices.iter().enumerate() {
        let next = choice.next;
        table.add_row([
            if i == tuned.advised { "*" } else { "" }.to_owned(),
            Size::of_bytes(choice.capacity).short(),
            out::plain(&choice.best.policy),
            percent(choice.best.worth(facts)),
            percent(choice.doubling),
            next.map_or_else(|| "-".into(), |next| out::plain(&next.policy)),
            next.map_or_else(String::new, |next| percent(next.worth(facts))),
        ]);
    }
    for index in [1, 3, 4, 6] {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A basic TOML string: that of JSON, with the controls escaped that JSON leaves as they are.
fn toml_text(text: &str) -> String {
    let escape = |c: char| match c.is_control() {
        true => format!("\\u{:04x}", u32::from(c)),
        false => c.to_string(),
    };
    Value::from(text).to_string().chars().map(escape).collect()
}
