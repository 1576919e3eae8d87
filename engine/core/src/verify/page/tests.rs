use std::cell::RefCell;

use serde_json::{Value, json};

use super::{
    super::{Difference, Kind, MapName, Tolerance, Verdict},
    *,
};
use crate::{draw::Format, plan::Shard};

const HOSTILE: &str =
    "</script><script>alert(1)</script><!--<img src=x onerror=\"a()\">'\"\n\u{2028}\u{202e}&amp;";

fn finding(path: &str, verdict: Verdict) -> Finding {
    Finding {
        path: path.into(),
        map: None,
        format: Some(Format::Svg),
        verdict,
        level: None,
        message: "it differs".into(),
        differences: Vec::new(),
        n_differences: 0,
        pixels: None,
        approved: None,
        reference: Some(format!("full/{path}")),
        pending: Some(format!("new/{path}")),
    }
}

fn difference(kind: Kind, text: &str) -> Difference {
    Difference {
        kind,
        column: Some([1, 2]),
        layer: Some(text.into()),
        what: text.into(),
        before: text.into(),
        after: text.into(),
        fills: Some([text.into(), text.into()]),
        at: Some([1.0, 2.0]),
    }
}

fn of(list: Vec<Finding>) -> Findings {
    let mut findings = Findings::new("m".into(), None, None);
    list.iter()
        .for_each(|finding| findings.amounts.count(finding.verdict));
    findings.findings = list;
    findings
}

fn svg(_: &Finding, _: Which) -> io::Result<Option<Vec<u8>>> {
    Ok(Some(b"<svg/>".to_vec()))
}

fn page(findings: &Findings, pictures: &Pictures<'_>, options: &PageOptions) -> String {
    let mut out = Vec::new();
    write_page(&mut out, findings, pictures, options).unwrap();
    String::from_utf8(out).unwrap()
}

fn data(page: &str, id: &str) -> Value {
    let start = format!("<script type=\"application/json\" id=\"{id}\">");
    let rest = page.split(&start).nth(1).unwrap();
    serde_json::from_str(rest.split("</script>").next().unwrap()).unwrap()
}

/// Ids of the pictures in a page, as they come.
fn ids(page: &str) -> Vec<&str> {
    let parts = page.split("<script type=\"image/svg+xml\" id=\"");
    parts
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[test]
fn no_text_leaves_its_place() {
    let mut bad = finding(HOSTILE, Verdict::Differs);
    bad.message = HOSTILE.into();
    bad.differences = vec![difference(Kind::Legend, HOSTILE)];
    bad.map = Some(MapName {
        cell_type: HOSTILE.into(),
        region: HOSTILE.into(),
        side: HOSTILE.into(),
        metric: HOSTILE.into(),
    });
    let mut findings = of(vec![bad]);
    findings.notes = vec![HOSTILE.into()];
    findings.manifest = HOSTILE.into();
    findings.engine = HOSTILE.into();
    let options = PageOptions {
        subject: HOSTILE.into(),
        ..PageOptions::default()
    };
    let page = page(&findings, &svg, &options);
    // Two pictures, two islands, the script of the page.
    assert_eq!(page.matches("<script").count(), 5);
    assert_eq!(page.matches("</script").count(), 5);
    for markup in [
        "<img src",
        "<!--",
        "alert(1)</script>",
        " style=",
        "\u{202e}",
    ] {
        let head = page.split("<noscript>").next().unwrap();
        assert!(!head.contains(markup), "{markup}");
    }
    assert!(!page.contains("<!--") && !page.contains("<img src"));
    let told = &data(&page, "findings")[0];
    assert_eq!(told["path"], HOSTILE);
    assert_eq!(told["differences"][0]["before"], HOSTILE);
    assert_eq!(data(&page, "about")["manifest"], HOSTILE);
}

#[test]
fn the_policy_names_the_hashes_of_what_is_in_the_page() {
    let page = page(
        &of(vec![finding("a", Verdict::Differs)]),
        &svg,
        &PageOptions::default(),
    );
    let inside = |start: &str, end: &str| {
        let rest = page.rsplit(start).next().unwrap();
        rest.split(end).next().unwrap().to_owned()
    };
    let script = hash_source(&inside("<script>", "</script>"));
    let style = hash_source(&inside("<style>", "</style>"));
    assert!(page.contains(&format!("script-src '{script}'; style-src '{style}'")));
}

#[test]
fn each_cause_gets_a_picture_before_any_gets_its_second() {
    let mut list: Vec<_> = (0..5)
        .map(|i| finding(&format!("a{i}"), Verdict::Differs))
        .collect();
    list.push(finding("b", Verdict::Missing));
    list[5].reference = None;
    list[5].message = "never approved".into();
    let options = PageOptions {
        most_pictures: 6,
        ..PageOptions::default()
    };
    let page = page(&of(list), &svg, &options);
    let expected = ["approved-0", "new-0", "new-5", "approved-1", "new-1"];
    assert_eq!(ids(&page), expected);
    let told = data(&page, "findings");
    assert_eq!(told[0]["absences"], json!([null, null]));
    assert_eq!(
        told[5]["absences"],
        json!(["There is no approved picture.", null])
    );
    let limit = "The page holds no more pictures; the files have all of them.";
    assert_eq!(told[4]["absences"], json!([limit, limit]));
}

#[test]
fn pictures_stay_within_their_bytes_and_in_pairs() {
    let list = ["big", "a", "b"].map(|path| finding(path, Verdict::Differs));
    let pictures = |finding: &Finding, _: Which| {
        let size = if finding.path == "big" { 3000 } else { 294 };
        Ok(Some([b"<svg/>".to_vec(), vec![b' '; size]].concat()))
    };
    let options = PageOptions {
        most_bytes: 4 * 400 + 3,
        ..PageOptions::default()
    };
    let page = page(&of(list.to_vec()), &pictures, &options);
    assert_eq!(ids(&page), ["approved-1", "new-1", "approved-2", "new-2"]);
}

#[test]
fn what_a_finding_does_not_name_is_not_asked_for_and_its_absence_is_told() {
    let asked = RefCell::new(Vec::new());
    let pictures = |finding: &Finding, which: Which| {
        asked.borrow_mut().push((finding.path.clone(), which));
        match finding.path.as_str() {
            "gone" => Ok(None),
            "locked" => Err(io::Error::other("permission denied")),
            "odd" => Ok(Some(b"<html>".to_vec())),
            _ => svg(finding, which),
        }
    };
    let mut list = Vec::new();
    for (path, verdict) in [
        ("hash", Verdict::Differs),
        ("orphan", Verdict::Orphaned),
        ("failed", Verdict::Failed),
        ("gone", Verdict::Damaged),
        ("locked", Verdict::Differs),
        ("odd", Verdict::Differs),
    ] {
        list.push(finding(path, verdict));
    }
    list[0].reference = None;
    list[1].pending = None;
    (list[2].reference, list[2].pending) = (None, None);
    list[3].pending = None;
    let page = page(&of(list), &pictures, &PageOptions::default());
    let told = data(&page, "findings");
    let absences: Vec<_> = (0..6).map(|i| told[i]["absences"].clone()).collect();
    assert_eq!(
        absences,
        [
            json!(["Only hashes of the approved picture are kept.", null]),
            json!([null, "Nothing draws it any more."]),
            json!([
                "Only hashes of the approved picture are kept.",
                "It could not be drawn."
            ]),
            json!(["full/gone is not there.", "The new picture was not kept."]),
            json!([
                "full/locked cannot be read: permission denied",
                "new/locked cannot be read: permission denied"
            ]),
            json!([
                "full/odd is no SVG and no PNG.",
                "new/odd is no SVG and no PNG."
            ]),
        ]
    );
    let asked = asked.borrow();
    assert_eq!(asked.len(), 7, "{asked:?}");
    assert!(!asked.contains(&("hash".into(), Which::Approved)));
}

#[test]
fn without_pictures_the_first_differences_are_told() {
    let mut long = finding("a", Verdict::Differs);
    long.differences = vec![difference(Kind::Value, "x"); 200];
    long.n_differences = 812;
    let findings = of(vec![long]);
    let told = |most_pictures| {
        let options = PageOptions {
            most_pictures,
            ..PageOptions::default()
        };
        let told = data(&page(&findings, &svg, &options), "findings");
        assert_eq!(told[0]["n_differences"], 812);
        told[0]["differences"].as_array().unwrap().len()
    };
    assert_eq!((told(2), told(1)), (200, 10));
}

#[test]
fn only_what_has_a_result_can_be_accepted() {
    let verdicts = [
        Verdict::Failed,
        Verdict::Differs,
        Verdict::Damaged,
        Verdict::Missing,
        Verdict::Orphaned,
    ];
    let mut list: Vec<_> = verdicts
        .iter()
        .map(|&verdict| finding("a", verdict))
        .collect();
    list.push(finding("b", Verdict::Damaged));
    list[5].pending = None;
    let told = data(&page(&of(list), &svg, &PageOptions::default()), "findings");
    let can: Vec<_> = (0..6).map(|i| told[i]["can_be_accepted"] == true).collect();
    assert_eq!(can, [false, true, true, true, true, false]);
}

#[test]
fn the_head_says_the_verdict_the_amounts_and_the_terms() {
    let mut findings = of(vec![
        finding("a", Verdict::Differs),
        finding("b", Verdict::Failed),
    ]);
    findings.amounts.compared = 12_345;
    findings.shard = Some(Shard { number: 2, of: 3 });
    findings.tolerance = Some(Tolerance {
        color: 4,
        place_px: 0.5,
        forced: true,
    });
    let page = page(&findings, &svg, &PageOptions::default());
    for words in [
        "<h1>2 artifacts are not as approved</h1>",
        "<dt>compared</dt><dd>12\u{202f}345</dd>",
        "<dt>failed</dt><dd>1</dd>",
        "part 2/3 of the whole",
        "by 4 of 255 steps",
        "0.5 px beside",
        "it was forced",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("<dt>orphaned</dt>"));
}

#[test]
fn one_verdict_is_one_sentence() {
    let sentence = |list: &[Verdict], compared| {
        let list = list.iter().map(|&verdict| finding("a", verdict)).collect();
        let mut findings = of(list);
        findings.amounts.compared = compared;
        head::sentence(&findings)
    };
    use Verdict::{Differs, Failed, Missing};
    assert_eq!(sentence(&[], 0), "Nothing was compared");
    assert_eq!(sentence(&[], 5), "Everything is as approved");
    assert_eq!(sentence(&[Differs], 5), "1 artifact is not as approved");
    assert_eq!(
        sentence(&[Missing; 2], 5),
        "2 artifacts have no approved picture"
    );
    assert_eq!(sentence(&[Failed], 5), "1 artifact could not be drawn");
    assert_eq!(
        sentence(&[Failed, Missing], 5),
        "2 artifacts are not as approved"
    );
}

#[test]
fn a_clean_page_needs_no_script() {
    let page = page(&of(Vec::new()), &svg, &PageOptions::default());
    assert!(!page.contains("<script"));
    assert!(page.contains("Nothing was compared"));
}

#[test]
fn other_findings_have_other_decisions() {
    let key = |path: &str| {
        let findings = of(vec![finding(path, Verdict::Differs)]);
        data(&page(&findings, &svg, &PageOptions::default()), "about")["key"].clone()
    };
    assert_eq!(key("a"), key("a"));
    assert_ne!(key("a"), key("b"));
}

#[test]
fn a_full_disk_is_an_error() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self
                .0
                .checked_sub(bytes.len())
                .ok_or_else(|| io::Error::new(io::ErrorKind::StorageFull, "no space left"))?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let findings = of(vec![finding("a", Verdict::Differs)]);
    let whole = page(&findings, &svg, &PageOptions::default()).len();
    let write = |room| write_page(&mut Full(room), &findings, &svg, &PageOptions::default());
    write(whole).unwrap();
    for room in (0..whole).step_by(97) {
        let error = write(room).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{room}");
    }
}
