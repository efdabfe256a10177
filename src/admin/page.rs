//! The page for people, in English or Chinese.

use super::http::Reply;

const PAGE: &str = include_str!("page.html");

/// What stands in the page between double braces, in English and Chinese.
const TEXTS: [(&str, &str, &str); 10] = [
    ("language", "en", "zh"),
    ("state", "State", "状态"),
    ("turns", "turns", "轮对话"),
    ("first_sound", "to the first sound", "到第一声"),
    ("ask", "Ask", "提问"),
    ("placeholder", "When do you open?", "你们几点开门？"),
    ("wait", "One moment …", "请稍候……"),
    ("heard", "Heard", "听到"),
    ("answer", "Answer", "回答"),
    ("offline", "not reachable", "无法连接"),
];

/// The page in the language that the browser prefers.
pub(super) fn page(accept_language: Option<&str>) -> Reply {
    let chinese = prefers_chinese(accept_language.unwrap_or_default());
    let mut page = PAGE.to_owned();
    for (name, en, zh) in TEXTS {
        page = page.replace(&format!("{{{{{name}}}}}"), if chinese { zh } else { en });
    }
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                  media-src 'self'; connect-src 'self'; frame-ancestors 'none'";
    Reply::new(200, "text/html; charset=utf-8", page.into_bytes())
        .with("Content-Security-Policy", policy)
        .with("Vary", "Accept-Language")
}

fn prefers_chinese(accept_language: &str) -> bool {
    let (mut chinese, mut english) = (0.0, 0.0);
    for choice in accept_language.split(',') {
        let mut parts = choice.split(';').map(str::trim);
        let language = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight =
            parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse().ok());
        let weight: f64 = weight.unwrap_or(0.0);
        match language.split('-').next() {
            Some("zh") => chinese = weight.max(chinese),
            Some("en") => english = weight.max(english),
            _ => {}
        }
    }
    chinese > english
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_chooses_the_language() {
        for (header, chinese) in [
            ("", false),
            ("zh-CN,zh;q=0.9,en;q=0.8", true),
            ("en-GB,en;q=0.9,zh;q=0.8", false),
            ("de, zh;q=0.3", true),
            ("zh;q=oops", false),
        ] {
            assert_eq!(prefers_chinese(header), chinese, "{header}");
        }
    }

    #[test]
    fn every_text_is_used_and_none_is_missing() {
        for (name, ..) in TEXTS {
            assert!(PAGE.contains(&format!("{{{{{name}}}}}")), "{name} is not used");
        }
        let mut left = PAGE.to_owned();
        for (name, ..) in TEXTS {
            left = left.replace(&format!("{{{{{name}}}}}"), "");
        }
        assert!(!left.contains("{{"), "a text is missing");
    }
}
