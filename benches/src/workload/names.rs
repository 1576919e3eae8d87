//! Names of cell types: plausible ones, and those that break programs.

use std::collections::BTreeSet;

use super::random::{Random, Use};

/// Names that occur, or could, and that a path, a markup language, a spreadsheet or a file system
/// without case reads as something else. Those that are close to each other stand together.
pub const AWKWARD: [&str; 22] = [
    "aMe17e",
    "AME17e",
    "PEN_b(PEN2)",
    "PEN_b_PEN2",
    "KCa'b'-ap1",
    "Tergopleural/Pleural promotor MN",
    "(PLP191,PLP192)b",
    "R1&R6<x>",
    "T5a",
    "t5a",
    "CON",
    "5-HTPMPD01",
    "l-LNv",
    "R7/R8",
    "\u{394}7",
    "na\u{ef}ve-Dm",
    "\"quoted\"",
    "back\\slash",
    "=1+1",
    "100%",
    ".hidden",
    "-dashed",
];

/// Families of the optic lobe, of the brain and of the nerve cord, with the number of digits after
/// them and whether a letter may follow.
const FAMILIES: [(&str, usize, bool); 28] = [
    ("Mi", 2, false),
    ("Tm", 2, true),
    ("TmY", 2, true),
    ("Dm", 2, true),
    ("Pm", 2, true),
    ("Cm", 2, false),
    ("Li", 2, true),
    ("LC", 2, true),
    ("LPLC", 1, true),
    ("LT", 2, true),
    ("MeTu", 1, true),
    ("MeVP", 2, true),
    ("LoVC", 2, true),
    ("aMe", 2, true),
    ("PLP", 3, true),
    ("AVLP", 3, true),
    ("PVLP", 3, true),
    ("SMP", 3, true),
    ("SLP", 3, true),
    ("LHAV", 3, true),
    ("AOTU", 3, true),
    ("CB", 4, true),
    ("DNp", 2, false),
    ("DNge", 3, false),
    ("AN", 5, true),
    ("IN", 5, true),
    ("IN", 6, true),
    ("SNta", 2, false),
];

/// One name in this many has a twin that differs by case only.
const TWINS: usize = 200;

/// `n` different names in the order of their bytes. Of a small number half are [`AWKWARD`].
pub(super) fn names(seed: u64, n: usize) -> Vec<String> {
    let mut random = Random::new(seed, Use::Names, 0);
    let awkward = AWKWARD.into_iter().take(n.div_ceil(2)).map(str::to_owned);
    let mut names: BTreeSet<String> = awkward.collect();
    while names.len() < n {
        let name = plausible(&mut random);
        if n - names.len() > 1 && random.below(TWINS) == 0 {
            names.insert(name.to_lowercase());
        }
        names.insert(name);
    }
    names.into_iter().collect()
}

fn plausible(random: &mut Random) -> String {
    let (family, digits, letter) = FAMILIES[random.below(FAMILIES.len())];
    let number = 1 + random.below(10_usize.pow(digits as u32) - 1);
    let padded = if digits > 2 { digits } else { 0 };
    let letter = match random.below(3) {
        0 if letter => ["a", "b", "c", "d"][random.below(4)],
        _ => "",
    };
    format!("{family}{number:0padded$}{letter}")
}
