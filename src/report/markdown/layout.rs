//! Puts findings on as many pages as they take. It cuts between findings only, and says how many found no room.

use super::words;

/// One finding, as it is told.
pub(super) struct Block {
    /// The label of the fold that it stands in.
    pub(super) folded: Option<String>,
    /// The heading that it stands under.
    pub(super) heading: String,
    /// Its text: ending with a blank line, or of a list with a line end.
    pub(super) text: String,
    /// An item of a list.
    pub(super) list: bool,
}

const CONTINUED: &str = "**Review, continued**\n\n";
const CLOSE: &str = "</details>\n\n";
/// Kept free for the words at the end.
const SPARE: usize = 300;

/// The pages: at least one, the first of at most `first` bytes, the others of at most `other`, `most` in all. Blocks that belong
/// to one heading or fold follow each other.
pub(super) fn lay_out(blocks: Vec<Block>, first: usize, other: usize, most: usize) -> Vec<String> {
    let mut pages = vec![Page::new("", first)];
    let total = blocks.len();
    for (i, block) in blocks.into_iter().enumerate() {
        let page = pages.last_mut().expect("there is always one");
        if page.push(&block) {
            continue;
        }
        if pages.len() < most.max(1) {
            let mut next = Page::new(CONTINUED, other);
            if next.push(&block) {
                pages.push(next);
                continue;
            }
        }
        // Later ones are left out too, so that none is skipped unseen.
        if let Some(page) = pages.last_mut() {
            page.close();
            let n = words::count(total - i, "more finding");
            let are = if total - i == 1 { "is" } else { "are" };
            page.out.push_str(&format!("{n} {are} left out here, since a comment can hold no more. The JSON report has all.\n\n"));
        }
        break;
    }
    pages.into_iter().map(Page::finish).collect()
}

struct Page {
    out: String,
    room: usize,
    heading: String,
    folded: bool,
    in_list: bool,
}

impl Page {
    fn new(start: &str, bytes: usize) -> Self {
        Self { out: start.to_owned(), room: bytes.saturating_sub(SPARE), heading: String::new(), folded: false, in_list: false }
    }

    /// Whether it fitted.
    fn push(&mut self, block: &Block) -> bool {
        let mut text = String::new();
        if self.in_list && !(block.list && block.heading == self.heading) {
            text.push('\n');
        }
        if let Some(label) = block.folded.as_ref().filter(|_| !self.folded) {
            text.push_str(&format!("<details><summary>{label}</summary>\n\n"));
        }
        if block.heading != self.heading {
            text.push_str(&block.heading);
        }
        text.push_str(&block.text);
        if self.out.len() + text.len() > self.room {
            return false;
        }
        self.out.push_str(&text);
        self.folded |= block.folded.is_some();
        self.heading.clone_from(&block.heading);
        self.in_list = block.list;
        true
    }

    fn close(&mut self) {
        if std::mem::take(&mut self.in_list) {
            self.out.push('\n');
        }
        if std::mem::take(&mut self.folded) {
            self.out.push_str(CLOSE);
        }
    }

    fn finish(mut self) -> String {
        self.close();
        self.out
    }
}
