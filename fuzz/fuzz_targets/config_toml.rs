//! Any text as a configuration: it is refused with a reason that can be shown, or it survives being
//! written and read again.

#![no_main]

use eyemap_engine::config::{Config, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let source = Source {
        path: "eyemap.toml".into(),
        text: text.to_owned(),
    };
    match Config::parse(&source) {
        Err(error) => {
            assert!(!error.message.is_empty());
            assert!(error.to_string().starts_with("eyemap.toml"));
            if let Some(span) = &error.span {
                assert!(
                    text.get(span.clone()).is_some(),
                    "{span:?} is no part of the text"
                );
                assert!(error.line_column().is_some());
            }
        }
        Ok(config) => {
            let json = serde_json::to_value(&config).expect("a configuration is plain data");
            let again: Config = serde_json::from_value(json).expect("and reads back");
            assert_eq!(again, config);
        }
    }
});
