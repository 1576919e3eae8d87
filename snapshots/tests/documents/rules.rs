//! What the reader of a document has, and which of its blocks cannot be run here.

/// How a block is treated that is not simply run. It is named by document and first line.
pub(crate) enum Rule {
    /// These commands come first: they make what the reader has by then.
    After(&'static str),
    /// It is not run, for this reason. The commands of eyemap in it are looked up.
    NotRun(&'static str),
}

/// A block with a rule of its own.
pub(crate) struct Special {
    pub(crate) document: &'static str,
    pub(crate) first_line: &'static str,
    pub(crate) rule: Rule,
}

const fn special(document: &'static str, first_line: &'static str, rule: Rule) -> Special {
    Special {
        document,
        first_line,
        rule,
    }
}

/// `decide`: a second look after values of two maps changed, and what somebody decides on the report's page.
pub(crate) const DECIDE: &str = r#"
decide() {
    sed -i 's/^SynPatch,ME,R,\(.*\),0,[0-9]*,/SynPatch,ME,R,\1,0,77,/; 2s/,[0-9]*,\([0-9]*\)$/,77,\1/' counts.csv
    ! eyemap verify "$@" || exit 1
    manifest=$(sed 's/.*"manifest": *"\([^"]*\)".*/\1/; /^[0-9a-f]*$/!d' "$report/findings.json" | head -n 1)
    echo "{\"form\": 1, \"manifest\": \"$manifest\",
           \"accept\": [\"LO_L/synapses/SynCol~9.svg\"], \"reject\": []}" > accept.json
}
"#;

/// All blocks with a rule. One that no document has any more is an error.
pub(crate) static SPECIALS: &[Special] = &[
    special(
        "README.md",
        "eyemap cache stats --config eyemap.toml    # what that saved",
        Rule::After(
            "printf '[cache.artifacts]\\nstore = \".eyemap/cache\"\\n' > eyemap.toml
             eyemap render cells.csv -o kept --config eyemap.toml",
        ),
    ),
    special(
        "docs/cache.md",
        "eyemap cache stats  --store DIR     # what is in it, what it saved",
        Rule::After("eyemap render cells.csv -o kept --store DIR"),
    ),
    special(
        "docs/cache.md",
        "eyemap cache simulate --trace requests.csv.gz --chart curves.svg",
        Rule::After("gzip -c plugins/template-cache/trace.csv > requests.csv.gz"),
    ),
    special(
        "docs/ci.md",
        "echo \"$LOCK_SHA256  eyemap-plugins.lock\" | sha256sum --check",
        Rule::After(
            "export XDG_DATA_HOME=\"$PWD/data\"
             eyemap verify init counts.csv --config eyemap.toml
             eyemap plugin pin \"$PLUGINS/libbinned_color.so\" --lock eyemap-plugins.lock --in-process
             rm -r data
             LOCK_SHA256=$(sha256sum eyemap-plugins.lock | cut -d ' ' -f 1)",
        ),
    ),
    special(
        "docs/ci.md",
        "eyemap verify accept --from accept.json --pending eyemap-verify/pending",
        Rule::After(
            "git init -q . && git add snapshots
             report=eyemap-verify; decide --out eyemap-verify",
        ),
    ),
    special(
        "docs/cluster.md",
        "#!/bin/bash",
        Rule::After("export SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_TASK_COUNT=8 SLURM_CPUS_PER_TASK=2"),
    ),
    special(
        "docs/cluster.md",
        "job=$(sbatch --parsable shards.sh)",
        Rule::NotRun("needs Slurm"),
    ),
    special(
        "docs/cluster.md",
        "bsub -J \"maps[1-32]\" -n 8 -r \\",
        Rule::NotRun("needs LSF"),
    ),
    special(
        "docs/cluster.md",
        "seq 32 | parallel -S node1,node2 --workdir . --retries 2 \\",
        Rule::NotRun("needs GNU parallel and two more machines"),
    ),
    special(
        "docs/plugin-check.md",
        "eyemap plugin check target/release/libmy_plugin.so",
        Rule::After(
            "mkdir -p target/release
             cp \"$PLUGINS/libbinned_color.so\" target/release/libmy_plugin.so",
        ),
    ),
    special(
        "docs/plugin-check.md",
        "gdb --args eyemap plugin check LIB.so --in-process --only ID",
        Rule::NotRun("needs a debugger and somebody who types into it"),
    ),
    special(
        "docs/verify.md",
        "eyemap verify accept --from accept.json      # what was decided there",
        Rule::After("report=snapshots/report; decide"),
    ),
    special(
        "docs/verify.md",
        "eyemap verify init --plugin target/release/libmine.so",
        Rule::After(
            "mkdir -p mine/target/release
             cp \"$PLUGINS/libbinned_color.so\" mine/target/release/libmine.so
             cd mine",
        ),
    ),
    special(
        "plugins/README.md",
        "eyemap plugin check librose_color.so",
        Rule::After("cp target/release/librose_color.so ."),
    ),
    special(
        "examples/plugins/README.md",
        "cd examples/plugins/diverging-color",
        Rule::NotRun("builds in the checkout; plugin_examples.rs does the same with a copy"),
    ),
];
