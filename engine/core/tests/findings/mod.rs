//! Findings to look at in a page, and the page.

use std::io;

use eyemap_engine::{
    draw::{
        DrawOptions, Format, draw,
        test_scene::{Content, OwnedScene, REDS, scene},
    },
    scene::Rgba,
    verify::{
        Difference, Finding, Findings, Kind, Level, MapName, PageOptions, PixelDifference, Verdict,
        Which, write_page,
    },
};

/// A name that tries to be markup, a line end and another name.
pub(crate) const HOSTILE: &str =
    "ME_R/</script><img src=x onerror=\"parent.hit=1\">'\u{2028}\u{202e}gvs.svg";

/// Pixels of a PNG for each px, in all pages here.
pub(crate) const PNG_SCALE: f64 = 2.0;

/// A finding with both pictures, about nothing yet.
pub(crate) fn finding(path: &str, verdict: Verdict, message: &str) -> Finding {
    Finding {
        path: path.into(),
        map: Some(MapName {
            cell_type: "Tm3".into(),
            region: "ME".into(),
            side: "R".into(),
            metric: "synapses".into(),
        }),
        format: Some(Format::Svg),
        verdict,
        level: None,
        message: message.into(),
        differences: Vec::new(),
        n_differences: 0,
        pixels: None,
        approved: None,
        reference: Some(path.into()),
        pending: Some(path.into()),
    }
}

/// Left, top, width and height of a map's canvas, in px.
pub(crate) fn canvas(map: &OwnedScene) -> [f64; 4] {
    let json: serde_json::Value = serde_json::from_slice(&drawn(map, Format::Json)).unwrap();
    [0, 1, 2, 3].map(|k| json["view_box"][k].as_f64().unwrap())
}

/// The same map with three columns one bin away, and what differs.
pub(crate) fn changed(map: &OwnedScene) -> (OwnedScene, Vec<Difference>) {
    let mut new = map.clone();
    let hexagons = [300, 301, 512];
    for i in hexagons {
        let old = REDS.iter().position(|&red| Rgba(red) == map.fill[i]);
        new.fill[i] = Rgba(REDS[old.map_or(0, |bin| (bin + 1) % 5)]);
        new.value[i] += 20.0;
    }
    let [left, top, ..] = canvas(map);
    let hex = |fill: Rgba| format!("#{:06x}", fill.rgb());
    let difference = |i: usize| Difference {
        kind: Kind::Value,
        column: Some([map.hex1[i], map.hex2[i]]),
        layer: None,
        what: String::new(),
        before: map.value[i].to_string(),
        after: new.value[i].to_string(),
        fills: Some([hex(map.fill[i]), hex(new.fill[i])]),
        at: Some([map.x[i] - left, map.y[i] - top]),
    };
    let mut differences: Vec<_> = hexagons.into_iter().map(difference).collect();
    // A layer of the first column, at the same place.
    differences.push(Difference {
        kind: Kind::LayerValue,
        layer: Some("ME<2>".into()),
        before: "7\n(bin 2)".into(),
        ..differences[0].clone()
    });
    (new, differences)
}

/// One of many with the same cause.
pub(crate) fn legend(path: &str) -> Finding {
    let mut out = finding(path, Verdict::Differs, "the legend differs");
    out.differences = vec![Difference {
        kind: Kind::Legend,
        column: None,
        layer: None,
        what: "tick 3".into(),
        before: "10".into(),
        after: "12".into(),
        fills: None,
        at: None,
    }];
    out.n_differences = 1;
    out.reference = None;
    out
}

/// One of everything.
pub(crate) fn sample(differences: &[Difference]) -> Findings {
    let mut value = finding(
        "ME_R/synapses/Tm3.svg",
        Verdict::Differs,
        "3 columns differ",
    );
    value.level = Some(Level::Structure);
    value.differences = differences.to_vec();
    value.n_differences = 812;
    let mut png = finding(
        "ME_R/synapses/Tm3.png",
        Verdict::Differs,
        "98 pixels differ",
    );
    png.format = Some(Format::Png);
    png.pixels = Some(PixelDifference {
        count: 98,
        of: 640_000,
        bounds: [300, 200, 60, 40],
        largest: 37,
    });
    let mut failed = finding("LO_R/cells/T2.svg", Verdict::Failed, "a layer is missing");
    (failed.reference, failed.pending) = (None, None);
    let mut missing = finding("LO_R/cells/New.svg", Verdict::Missing, "never approved");
    missing.reference = None;
    let mut orphan = finding("LO_R/cells/Gone.svg", Verdict::Orphaned, "nothing draws it");
    orphan.pending = None;
    let mut damaged = finding(
        "LO_R/cells/Cut.svg",
        Verdict::Damaged,
        "its hash is another",
    );
    damaged.pending = None;
    let mut hostile = finding(HOSTILE, Verdict::Differs, HOSTILE);
    hostile.map = None;
    let mut findings = Findings::new("a</script>b".into(), None, None);
    findings.findings = vec![
        legend("LO_R/synapses/L1.svg"),
        value,
        legend("LO_R/synapses/L2.svg"),
        png,
        failed,
        missing,
        legend("LO_R/synapses/L3.svg"),
        orphan,
        damaged,
        hostile,
    ];
    findings.amounts.compared = 1200;
    findings.amounts.same = 1190;
    for finding in &findings.findings {
        findings.amounts.count(finding.verdict);
    }
    findings.notes = vec!["A note with <b>markup</b>.".into()];
    findings
}

fn drawn(map: &OwnedScene, format: Format) -> Vec<u8> {
    let scale = if format == Format::Png {
        PNG_SCALE
    } else {
        1.0
    };
    draw(format, &map.head, &map.batch(), &DrawOptions::scaled(scale)).unwrap()
}

/// The page of findings, with a picture of either map wherever one is asked for.
pub(crate) fn page_of(findings: &Findings, maps: &[OwnedScene; 2]) -> String {
    let pictures = |finding: &Finding, which: Which| -> io::Result<Option<Vec<u8>>> {
        let map = &maps[usize::from(which == Which::New)];
        Ok(Some(drawn(map, finding.format.unwrap())))
    };
    let options = PageOptions {
        subject: "eyemap.toml".into(),
        png_scale: PNG_SCALE,
        ..PageOptions::default()
    };
    let mut out = Vec::new();
    write_page(&mut out, findings, &pictures, &options).unwrap();
    String::from_utf8(out).unwrap()
}

/// One of everything, as a page.
pub(crate) fn sample_page() -> (Findings, String) {
    let old = scene(900, 3, Content::Full, 7);
    let (new, differences) = changed(&old);
    let findings = sample(&differences);
    let page = page_of(&findings, &[old, new]);
    if let Some(file) = std::env::var_os("EYEMAP_KEEP_PAGE") {
        std::fs::write(file, &page).unwrap();
    }
    (findings, page)
}
