//! The report of `verify` in headless Chromium: the real page under its real policy, in a frame. A
//! page around it sends real events, looks at what becomes of them and posts what it found.
//!
//! With `EYEMAP_KEEP_PAGE=FILE` the page of most tests is written there, to be looked at.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod chromium;
mod findings;

use std::{path::Path, process::Stdio, time::Duration};

use eyemap_engine::{
    draw::test_scene::{Content, scene},
    verify::{Decisions, Verdict, causes},
};
use serde_json::{Value, json};

use chromium::{Page, chromium, serve, start};
use findings::{
    HOSTILE, PNG_SCALE, canvas, changed, finding, legend, page_of, sample, sample_page,
};

const TOOLS: &str = r##"
const found={},errors=[],reports=[];
const frame=document.querySelector("iframe");
let w,d;
const wait=ms=>new Promise(r=>setTimeout(r,ms));
const until=async(what,f)=>{for(let i=0;i<400;i++){if(f())return;await wait(25)}throw Error("never: "+what)};
const $=s=>d.querySelector(s),$$=s=>[...d.querySelectorAll(s)];
const path=()=>$("#path").textContent,text=s=>$(s).textContent;
const key=(k,shiftKey=/^[A-Z?]$/.test(k))=>(d.activeElement||d.body).dispatchEvent(new w.KeyboardEvent("keydown",{key:k,shiftKey,bubbles:true,cancelable:true}));
const mouse=(e,type,more)=>e.dispatchEvent(new w.PointerEvent(type,{bubbles:true,cancelable:true,buttons:1,...more}));
const view=()=>$("#stage").dataset.view;
const current=()=>Number($("#stage").dataset.shows);
const settle=()=>until("pictures of "+path(),()=>{const p=path();return $("#stage").dataset.shows!==undefined&&visible(findings()[current()].path)===p});
const findings=()=>JSON.parse($("#findings").textContent);
const visible=t=>t.replace(/[\u2028\u202e]/g,c=>"\\u{"+c.codePointAt(0).toString(16)+"}");
const go=async part=>{for(let i=0;i<30&&!path().includes(part);i++)key("j");if(!path().includes(part)){for(let i=0;i<30&&!path().includes(part);i++)key("k")}if(!path().includes(part))throw Error("no "+part);await settle()};
const decisions=()=>JSON.parse($("#text").value);
const saved=async()=>await(await fetch($("#save").href)).json();
const seen=e=>{const c=w.getComputedStyle(e),r=e.getBoundingClientRect();return c.visibility==="visible"&&c.display!=="none"&&r.width>0};
const load=async()=>{
  const loaded=new Promise(r=>frame.onload=r);
  frame.src="/report.html?"+Math.random();
  await loaded;
  w=frame.contentWindow;d=w.document;
  w.addEventListener("error",e=>errors.push(String(e.message)));
  w.addEventListener("unhandledrejection",e=>errors.push(String(e.reason)));
  new w.ReportingObserver(r=>reports.push(...r.map(r=>r.body.effectiveDirective+" "+r.body.blockedURL)),{types:["csp-violation"],buffered:true}).observe();
  if(d.documentElement.dataset.ready!=="1")throw Error("the page's script did not end");
};
"##;

/// Drives a page by a script and gives what it found. The page broke no rule of its policy meanwhile,
/// and the policy is in force.
fn drive(program: &Path, page: String, flags: &[&str], script: &str) -> Value {
    let end = r##"
        await wait(100);
        found.reports=[...reports];found.errors=errors;found.hit=window.hit===undefined;
        d.body.setAttribute("style","color:red");
        d.body.append(Object.assign(d.createElement("script"),{textContent:"parent.hit=1"}));
        await until("a policy",()=>reports.length===found.reports.length+2);
        found.inert=window.hit===undefined;"##;
    let outer = format!(
        "<!doctype html><meta charset=\"utf-8\"><body style=\"margin:0\">\
         <iframe width=\"1400\" height=\"900\" style=\"border:0\"></iframe><script>{TOOLS}\
         (async()=>{{try{{await load();{script}\n{end}}}catch(e){{found.error=String(e.stack)}}\
         await fetch(\"/found\",{{method:\"POST\",body:JSON.stringify(found)}})}})()</script>"
    );
    let page_at = |path, body| Page {
        path,
        kind: "text/html",
        policy: String::new(),
        body,
    };
    let (port, found) = serve(vec![page_at("/", outer), page_at("/report.html", page)]);
    let url = format!("http://127.0.0.1:{port}/");
    let mut arguments: Vec<String> = flags.iter().map(|&flag| flag.into()).collect();
    arguments.extend([
        "--window-size=1400,900".into(),
        "--remote-debugging-port=0".into(),
        url,
    ]);
    let _running = start(program, &arguments, Stdio::null());
    let found = found.recv_timeout(Duration::from_secs(90));
    let found: Value =
        serde_json::from_str(&found.expect("the browser posts what it found")).unwrap();
    assert_eq!(found["error"], Value::Null, "{found:#}");
    assert_eq!(found["errors"], json!([]));
    assert_eq!(found["reports"], json!([]));
    assert_eq!(
        (&found["hit"], &found["inert"]),
        (&json!(true), &json!(true))
    );
    found
}

#[test]
fn the_list_is_grouped_by_cause_and_names_are_text() {
    let Some(program) = chromium() else { return };
    let (findings, page) = sample_page();
    let script = r##"
        // High enough for every row.
        frame.height=2000;
        await until("all rows",()=>$$("#rows .row").length===10+$$("#rows .cause").length&&text("#rows").includes("nothing draws it"));
        const groups=[];
        for(const row of $$("#rows .row")){
          const t=row.querySelector(".toggle");
          if(t)groups.push([t.firstChild.textContent,Number(t.lastChild.textContent),[]]);
          else groups.at(-1)[2].push(row.querySelector(".finding").firstChild.textContent);
        }
        found.groups=groups;
        found.title=d.querySelector("h1").textContent;
        found.notes=$$(".notes li").map(e=>e.textContent);
        await go("onerror");
        found.path=path();found.message=text("#message");
        found.images=$$("img").length;
        const toggle=$(".toggle"),rows=()=>$$("#rows .row").length,before=rows();
        toggle.click();found.closed=[before-rows(),toggle.getAttribute("aria-expanded")];
        toggle.click();found.opened=[before-rows(),toggle.getAttribute("aria-expanded")];
        key("?");found.help=$("#help").open;key("a");found.none=decisions().accept;"##;
    let found = drive(&program, page, &[], script);
    let shown = |text: &str| {
        text.replace('\u{2028}', "\\u{2028}")
            .replace('\u{202e}', "\\u{202e}")
    };
    let expected: Vec<Value> = causes(&findings.findings)
        .iter()
        .map(|cause| {
            let path = |&i: &usize| shown(&findings.findings[i].path);
            let paths: Vec<String> = cause.findings.iter().map(path).collect();
            json!([shown(&cause.title), paths.len(), paths])
        })
        .collect();
    assert_eq!(found["groups"], json!(expected));
    assert_eq!(found["title"], "10 artifacts are not as approved");
    assert_eq!(found["notes"], json!(["A note with <b>markup</b>."]));
    assert_eq!(found["path"], shown(HOSTILE));
    assert_eq!(found["message"], shown(HOSTILE));
    // The two of the viewer.
    assert_eq!(found["images"], 2);
    let first = expected[0][1].as_u64().unwrap();
    assert_eq!(found["closed"], json!([first, "false"]));
    assert_eq!(found["opened"], json!([0, "true"]));
    assert_eq!(found["help"], true);
    assert_eq!(found["none"], json!([]), "keys rest while the help is open");
}

#[test]
fn four_views_show_two_pictures() {
    let Some(program) = chromium() else { return };
    let (_, page) = sample_page();
    let script = r##"
        await go("Tm3.svg");
        const figures=()=>$$("figure").map(f=>f.getBoundingClientRect()),box=$('[data-which="new"] .box');
        const side=figures();
        found.side=[view(),side[0].right<=side[1].left,$$("figure img").every(i=>i.naturalWidth>300&&seen(i))];
        key("2");
        const swipe=figures();
        found.swipe=[view(),swipe[0].left===swipe[1].left,seen($("#slider")),box.style.clipPath];
        key("ArrowLeft");key("ArrowLeft");found.byKey=$("#slider").value;
        const b=box.getBoundingClientRect();
        mouse(box,"pointerdown",{clientX:b.left+b.width/4,clientY:b.top+9});found.byMouse=[$("#slider").value,box.style.clipPath,$("#divider").style.left];
        mouse(box,"pointermove",{clientX:b.left-50,clientY:b.top+9});found.outside=$("#slider").value;
        mouse(box,"pointermove",{clientX:b.right,clientY:b.top+9,buttons:0});found.released=$("#slider").value;
        $("#slider").value=80;$("#slider").dispatchEvent(new w.Event("input",{bubbles:true}));found.bySlider=box.style.clipPath;
        key("3");
        found.blink=[view(),box.style.clipPath,seen($("#turn"))];
        const turns=[],look=()=>$$("figure").map(f=>seen(f.querySelector("img"))).join();
        for(let i=0;i<60;i++){const now=look();if(turns.at(-1)!==now)turns.push(now);await wait(50)}
        found.turns=turns.length;found.both=turns.includes("true,true");
        key("b");key("o");key("o");const held=look();await wait(1200);found.held=look()===held;key("b");found.turned=look()!==held;
        key("4");
        const canvas=$("canvas"),c=canvas.getContext("2d");
        found.difference=[view(),seen(canvas),seen($('[data-which="approved"] img'))];
        const size=$("figure svg").viewBox.baseVal,k=canvas.width/size.width;
        const strong=([x,y])=>{const[r,g,b]=c.getImageData(Math.round(x*k),Math.round(y*k),1,1).data;return r-g};
        found.marked=findings()[current()].differences.map(f=>strong(f.at)>90);
        const all=c.getImageData(0,0,canvas.width,canvas.height).data;let n=0;for(let i=0;i<all.length;i+=4)if(all[i]-all[i+1]>20)n++;
        found.share=n/(canvas.width*canvas.height);found.told=text("#note").includes("pixels differ as drawn");
        w.CanvasRenderingContext2D.prototype.putImageData=()=>{throw Error("kept")};
        key("j");await settle();key("k");await settle();
        found.blend=[view(),$("#stage").classList.contains("blend"),seen($('[data-which="approved"] img')),w.getComputedStyle($('[data-which="new"] img')).mixBlendMode];
        $('button[data-view="side"]').click();found.button=[view(),$('button[data-view="side"]').getAttribute("aria-pressed"),$('button[data-view="difference"]').getAttribute("aria-pressed")];
        key("2");await go("New.svg");found.alone=[view(),$('button[data-view="swipe"]').disabled,text('[data-which="approved"] .absence')];
        await go("Tm3.svg");found.again=view();"##;
    let found = drive(&program, page, &[], script);
    assert_eq!(found["side"], json!(["side", true, true]));
    assert_eq!(
        found["swipe"],
        json!(["swipe", true, true, "inset(0px 0px 0px 50%)"])
    );
    assert_eq!(found["byKey"], "46");
    assert_eq!(
        found["byMouse"],
        json!(["25", "inset(0px 0px 0px 25%)", "25%"])
    );
    assert_eq!(
        (&found["outside"], &found["released"]),
        (&json!("0"), &json!("0"))
    );
    assert_eq!(found["bySlider"], "inset(0px 0px 0px 80%)");
    assert_eq!(found["blink"], json!(["blink", "", true]));
    let turns = found["turns"].as_u64().unwrap();
    assert!((4..=8).contains(&turns), "{turns} turns in three seconds");
    assert_eq!(
        (&found["both"], &found["held"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(found["turned"], true);
    assert_eq!(found["difference"], json!(["difference", true, false]));
    assert_eq!(found["marked"], json!([true, true, true, true]));
    let share = found["share"].as_f64().unwrap();
    assert!(
        share > 0.0003 && share < 0.01,
        "three hexagons, not {share}"
    );
    assert_eq!(found["told"], true);
    assert_eq!(
        found["blend"],
        json!(["difference", true, true, "difference"])
    );
    assert_eq!(found["button"], json!(["side", "true", "false"]));
    assert_eq!(
        found["alone"],
        json!(["side", true, "There is no approved picture."])
    );
    assert_eq!(found["again"], "swipe");
}

#[test]
fn nothing_blinks_where_motion_is_unwanted() {
    let Some(program) = chromium() else { return };
    let (_, page) = sample_page();
    let script = r##"
        await go("Tm3.svg");
        key("3");
        const look=()=>$$("figure").map(f=>seen(f.querySelector("img"))).join(),first=look();
        found.still=true;
        for(let i=0;i<40;i++){found.still&&=look()===first;await wait(50)}
        key("b");found.turned=look()!==first;"##;
    let found = drive(&program, page, &["--force-prefers-reduced-motion"], script);
    assert_eq!(
        (&found["still"], &found["turned"]),
        (&json!(true), &json!(true))
    );
}

#[test]
fn changed_hexagons_are_outlined_where_they_are() {
    let Some(program) = chromium() else { return };
    let (findings, page) = sample_page();
    let script = r##"
        await go("Tm3.svg");
        const centre=e=>{const b=e.getBoundingClientRect();return[b.x+b.width/2,b.y+b.height/2]};
        const rings=()=>$$('[data-which="new"] circle.ring');
        const offsets=()=>{const i=$('[data-which="new"] img').getBoundingClientRect(),width=$('[data-which="new"] svg').viewBox.baseVal.width;
          return rings().map(r=>{const[x,y]=centre(r);return[(x-i.x)/i.width*width,(y-i.y)/i.width*width]})};
        found.fit=offsets();
        $('button[data-zoom="4"]').click();found.zoomed=offsets();found.wide=$('[data-which="new"] img').getBoundingClientRect().width;
        const[a,b]=$$(".box");b.scrollLeft=70;b.scrollTop=40;await until("scrolling together",()=>a.scrollLeft===70&&a.scrollTop===40);
        $('button[data-zoom="0"]').click();
        const lit=()=>[$$("tbody tr").map(r=>r.classList.contains("lit")),rings().map(r=>r.classList.contains("lit"))];
        const rows=$$("tbody tr");
        mouse(rows[1],"pointerover");found.row=lit();
        mouse(rings()[0],"pointerover");found.ring=lit();
        rows[2].querySelector("button").focus();found.focus=lit();
        found.swatches=[...rows[0].querySelectorAll(".swatch")].map(s=>s.style.backgroundColor);
        found.cells=[...rows[3].cells].map(c=>c.textContent);
        found.layers=text("#note").includes("whole columns");
        found.title=text("#differences-title");
        key("o");found.hidden=rings().some(seen);key("o");found.shown=rings().every(seen);
        await go("Tm3.png");
        const bounds=$('[data-which="new"] .bounds'),size=$('[data-which="new"] svg').viewBox.baseVal,image=$('[data-which="new"] img');
        found.png=[size.width,["x","y","width","height"].map(n=>Number(bounds.getAttribute(n))),text("#note"),image.naturalWidth];"##;
    let found = drive(&program, page, &[], script);
    let differences = &findings.findings[1].differences;
    for name in ["fit", "zoomed"] {
        let places = found[name].as_array().unwrap();
        assert_eq!(places.len(), 3, "one outline for each place");
        for (place, difference) in places.iter().zip(differences) {
            for (now, at) in [0, 1].map(|i| (&place[i], difference.at.unwrap()[i])) {
                assert!(
                    (now.as_f64().unwrap() - at).abs() < 0.5,
                    "{name}: {now} {at}"
                );
            }
        }
    }
    let map = scene(900, 3, Content::Full, 7);
    let wide = found["wide"].as_f64().unwrap();
    let [_, _, width_px, _] = canvas(&map);
    assert!((wide - 4.0 * width_px).abs() < 0.1, "{wide}");
    let one = |n: usize, i: usize| (0..n).map(|k| k == i).collect::<Vec<_>>();
    assert_eq!(found["row"], json!([one(4, 1), one(3, 1)]));
    assert_eq!(
        found["ring"],
        json!([[true, false, false, true], one(3, 0)])
    );
    assert_eq!(found["focus"], json!([one(4, 2), one(3, 2)]));
    let rgb = |hex: &str| {
        let part = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        format!("rgb({}, {}, {})", part(1), part(3), part(5))
    };
    let fills = differences[0].fills.as_ref().unwrap();
    assert_eq!(found["swatches"], json!([rgb(&fills[0]), rgb(&fills[1])]));
    let column = format!("{}, {}", map.hex1[300], map.hex2[300]);
    let after = &differences[0].after;
    assert_eq!(
        found["cells"],
        json!(["layer value", column, "ME<2>", "7\n(bin 2)", after])
    );
    assert_eq!(found["layers"], true);
    assert_eq!(found["title"], "812 differences, the first 4 are here");
    assert_eq!(
        (&found["hidden"], &found["shown"]),
        (&json!(false), &json!(true))
    );
    let [width, bounds] = [&found["png"][0], &found["png"][1]];
    let pixels = (width_px * PNG_SCALE).ceil();
    assert_eq!(width.as_f64(), Some(pixels / PNG_SCALE));
    assert_eq!(found["png"][3].as_f64(), Some(pixels));
    assert_eq!(*bounds, json!([150, 100, 30, 20]));
    assert_eq!(
        found["png"][2],
        "98 pixels differ of 640,000, at most by 37 of 255 steps."
    );
}

#[test]
fn decisions_come_out_as_they_were_made() {
    let Some(program) = chromium() else { return };
    let (findings, page) = sample_page();
    let script = r##"
        const first=path();
        key("a");found.failed=[decisions().accept,$("#accept").disabled,text("#refusal")!=="",text("#status").includes("cannot be accepted")];
        key("r");found.rejected=decisions().reject;
        key("u");found.undone=decisions().reject;
        key("n");found.next=path()!==first;key("p");found.back=path()===first;
        key("ArrowDown");key("ArrowUp");found.around=path()===first;key("k");found.top=path()===first;
        await go("Cut.svg");key("a");found.damaged=decisions().accept;
        await go("L2.svg");key("r");
        key("a",false);found.changed=decisions();key("r");
        key("A",false);found.capsLock=decisions();key("r");
        key("A");found.cause=decisions();
        key("U");found.undoneCause=decisions();
        await go("L2.svg");$("#reject").click();
        const row=$$("#rows .cause").find(r=>r.textContent.includes("tick 3"));
        row.querySelector('[data-choice="accept"]').click();found.button=decisions();
        found.locked=$$("#rows .cause").map(r=>r.querySelector('[data-choice="accept"]').disabled);
        for(const part of["Gone.svg","New.svg","onerror"]){await go(part);$("#accept").click()}
        await go("Tm3.png");$("#reject").click();
        found.pressed=$("#reject").getAttribute("aria-pressed");
        found.status=text("#status");found.tally=text("#tally");
        found.marks=$$("#rows .finding").map(f=>f.querySelector(".made").textContent).filter(Boolean).length;
        found.saved=await saved();found.name=$("#save").download;found.same=JSON.stringify(found.saved)===JSON.stringify(decisions());
        await load();
        found.kept=decisions();
        w.Storage.prototype.setItem=()=>{throw Error("no storage")};
        found.quiet=$("#forgetful").hidden;
        await go("Tm3.svg");key("a");found.told=!$("#forgetful").hidden;found.without=decisions().accept.includes("ME_R/synapses/Tm3.svg");
        const about=JSON.parse($("#about").textContent);
        localStorage.setItem(about.key,'{"accept":7');
        await load();
        key("j");key("r");found.damagedStore=[decisions().accept.length,decisions().reject.length];
        localStorage.setItem(about.key,JSON.stringify({accept:["../x","LO_R/cells/T2.svg","LO_R/cells/New.svg"],reject:[]}));
        await load();found.foreign=decisions().accept;"##;
    let found = drive(&program, page, &[], script);
    assert_eq!(found["failed"], json!([[], true, true, true]));
    assert_eq!(found["rejected"], json!(["LO_R/cells/T2.svg"]));
    assert_eq!(found["undone"], json!([]));
    for name in ["next", "back", "around", "top"] {
        assert_eq!(found[name], true, "{name}");
    }
    assert_eq!(found["damaged"], json!([]));
    let [one, two, three] = ["L1", "L2", "L3"].map(|name| format!("LO_R/synapses/{name}.svg"));
    let lists = |found: &Value| json!([found["accept"], found["reject"]]);
    for name in ["changed", "capsLock"] {
        assert_eq!(lists(&found[name]), json!([[two], []]), "{name}");
    }
    assert_eq!(lists(&found["cause"]), json!([[one, three], [two]]));
    assert_eq!(lists(&found["undoneCause"]), json!([[], []]));
    assert_eq!(lists(&found["button"]), json!([[one, three], [two]]));
    let locked: Vec<bool> = causes(&findings.findings)
        .iter()
        .map(|cause| matches!(cause.verdict, Verdict::Failed | Verdict::Damaged))
        .collect();
    assert_eq!(found["locked"], json!(locked));
    let mut accept = [
        "LO_R/cells/Gone.svg",
        "LO_R/cells/New.svg",
        HOSTILE,
        &one,
        &three,
    ];
    accept.sort_unstable();
    let expected = json!({
        "form": 1, "manifest": "a</script>b", "accept": accept,
        "reject": [two, "ME_R/synapses/Tm3.png"],
    });
    assert_eq!(found["saved"], expected);
    assert_eq!(
        (&found["name"], &found["same"]),
        (&json!("accept.json"), &json!(true))
    );
    assert_eq!(found["kept"], expected, "decisions outlive a reload");
    assert_eq!(found["pressed"], "true");
    assert_eq!(found["tally"], "5 accepted, 2 rejected, 3 undecided");
    assert!(
        found["status"]
            .as_str()
            .unwrap()
            .ends_with("differs. rejected.")
    );
    assert_eq!(found["marks"], 7);
    assert_eq!(
        (&found["quiet"], &found["told"], &found["without"]),
        (&json!(true), &json!(true), &json!(true))
    );
    assert_eq!(found["damagedStore"], json!([0, 1]));
    assert_eq!(found["foreign"], json!(["LO_R/cells/New.svg"]));
    // What the page writes is what `accept` reads, but for names that no artifact has.
    let read: Decisions = serde_json::from_value(found["saved"].clone()).unwrap();
    assert_eq!(read.accept.len(), 5);
}

#[test]
fn ten_thousand_findings_stay_quick() {
    let Some(program) = chromium() else { return };
    let (_, differences) = changed(&scene(900, 3, Content::Full, 7));
    let mut findings = sample(&differences);
    findings.findings = (0..10_000)
        .map(|i| legend(&format!("ME_R/{i:05}.svg")))
        .collect();
    findings
        .findings
        .push(finding("LO_R/x.svg", Verdict::Missing, "never approved"));
    let small = scene(60, 0, Content::Full, 1);
    let page = page_of(&findings, &[small.clone(), small]);
    let script = r##"
        const rows=()=>$$("#rows .row").length;
        found.rows=[rows()];
        const start=performance.now();
        for(let i=0;i<300;i++)key("j");
        found.step=(performance.now()-start)/300;
        found.path=path();found.rows.push(rows());
        const current=$("[aria-current=true]").getBoundingClientRect(),list=$("#list").getBoundingClientRect();
        found.sight=current.top>=list.top&&current.bottom<=list.bottom;
        const then=performance.now();
        key("A");found.cause=performance.now()-then;
        found.accepted=decisions().accept.length;
        $("#list").scrollTop=5000*50;await until("rows",()=>$$(".finding").some(f=>f.textContent.includes("05000")));
        found.rows.push(rows());
        found.marked=$$(".finding .made").every(m=>m.textContent.includes("accepted"));
        found.saved=(await saved()).accept.length;
        $("#list").scrollTop=0;await until("the cause",()=>$(".toggle"));
        $(".toggle").click();found.rows.push(rows());"##;
    let found = drive(&program, page, &[], script);
    let rows = found["rows"].as_array().unwrap();
    assert!(rows.iter().all(|n| n.as_u64().unwrap() < 60), "{rows:?}");
    assert_eq!(rows[3], 3, "two causes, one of them closed");
    assert_eq!(found["path"], "ME_R/00300.svg");
    assert_eq!(
        (&found["sight"], &found["marked"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        (&found["accepted"], &found["saved"]),
        (&json!(10_000), &json!(10_000))
    );
    // A step and a decision are felt as immediate below 100 ms and one second; both are far below.
    let [step, cause] = ["step", "cause"].map(|name| found[name].as_f64().unwrap());
    assert!(step < 100.0 && cause < 1000.0, "{step} ms, {cause} ms");
}
