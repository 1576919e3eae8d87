//! Whether an artifact is what its format says, before it is compared or approved.

use super::{Form, picture};

/// Checks what a comparison with a reference would not show, or what no reference should be.
///
/// # Errors
/// When the artifact is no such thing, in words.
pub fn sound(form: Form, bytes: &[u8]) -> Result<(), String> {
    if form == Form::Png {
        return picture::sound(bytes);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    // `insta` takes no notice of either.
    let body = text.strip_suffix('\n').unwrap_or(text);
    if text.contains('\r') || body.ends_with(char::is_whitespace) {
        return Err("line ends that a text snapshot does not show".into());
    }
    match form {
        Form::Scene => {
            let scene = serde_json::from_str::<serde_json::Value>(text);
            scene.map(drop).map_err(|error| error.to_string())
        }
        Form::Svg | Form::SvgStatic => svg(form, text),
        Form::Png | Form::Text => Ok(()),
    }
}

fn svg(form: Form, text: &str) -> Result<(), String> {
    let svg = roxmltree::Document::parse(text).map_err(|error| error.to_string())?;
    let root = svg.root_element().tag_name().name();
    if root != "svg" {
        return Err(format!("<{root}>, where <svg> was expected"));
    }
    let is_script = |node: roxmltree::Node<'_, '_>| node.tag_name().name() == "script";
    match form == Form::SvgStatic && svg.descendants().any(is_script) {
        true => Err("a static SVG with a script".into()),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_of_its_format_is_refused() {
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>1</script></svg>\n";
        for (form, text, message) in [
            (Form::Scene, "{\"hexagons\":[]}\n", ""),
            (Form::Scene, "{\"hexagons\":[}", "line 1"),
            (Form::Svg, svg, ""),
            (Form::Svg, "<svg>", "never closed"),
            (Form::Svg, "<html></html>", "<html>"),
            (Form::SvgStatic, svg, "a script"),
            (Form::SvgStatic, "<svg></svg>", ""),
            (Form::Text, "a\nb\n", ""),
            (Form::Text, "a\r\nb\n", "line ends"),
            (Form::Text, "a\n\n", "line ends"),
            (Form::Text, "a \n", "line ends"),
            (Form::Png, "PNG", " "),
        ] {
            let error = sound(form, text.as_bytes()).err();
            assert_eq!(error.is_none(), message.is_empty(), "{text:?}: {error:?}");
            let error = error.unwrap_or_default();
            assert!(error.contains(message), "{message:?} is not in {error}");
        }
        assert!(sound(Form::Text, b"\xff").is_err());
    }
}
