//! Whether a text is minified, by measure and not by name: nobody reads it, so nobody can review it.

use crate::text::FileText;

/// A line of minified code has at least so many bytes.
const LONG_LINE: usize = 250;
/// A minified text has at least so many bytes.
const LEAST: usize = 500;

/// Whether nearly all of a text stands in very long lines with hardly any white space. Ordinary code has lines
/// of 30 to 100 bytes, of which a fifth or more is white space.
pub(super) fn is_minified(text: &FileText) -> bool {
    if !text.is_whole() || text.as_str().len() < LEAST {
        return false;
    }
    let (mut all, mut long, mut blank) = (0_usize, 0_usize, 0_usize);
    for line in text.as_str().lines() {
        all += line.len();
        if line.len() >= LONG_LINE {
            long += line.len();
            blank += line.bytes().filter(u8::is_ascii_whitespace).count();
        }
    }
    // At least nine tenths in long lines, at most an eighth of these white space.
    long * 10 >= all * 9 && blank * 8 <= long
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_lines_and_white_space() {
        let minified = |text: &str| is_minified(&FileText::whole(text.as_bytes()));
        let bundle = "!function(e,t){\"object\"==typeof exports?t(exports):t(e.x={})}(this,function(e){return e});".repeat(20);
        assert!(minified(&bundle));
        assert!(minified(&format!("/*! v1.2.3 */\n{bundle}\n//# sourceMappingURL=x.js.map\n")));
        assert!(!minified("function add(a, b) {\n    return a + b;\n}\n".repeat(100).as_str()));
        assert!(!minified(&"The quick brown fox jumps over the lazy dog and so on. ".repeat(40)), "prose without line breaks");
        assert!(!minified("var a=1;"), "too small to tell");
        // One long line does not hide the code beside it.
        assert!(!minified(&format!("{bundle}\n{}", "steal(document.cookie);\n".repeat(20))));
        assert!(!is_minified(&FileText::sparse([(1, bundle.as_bytes())])), "of a patch it is unknown");
    }
}
