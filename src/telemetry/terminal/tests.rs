use super::*;
use std::io;

/// A terminal of 60 columns that keeps its screen: the lines above the cursor, and the one it is in.
#[derive(Debug, Clone, Default)]
struct Screen(Arc<Mutex<(Vec<String>, usize)>>);

impl Screen {
    fn write(&self, text: &str) {
        let mut screen = self.0.lock().expect("no test panics with it");
        let (lines, row) = &mut *screen;
        for (i, part) in text.split('\n').enumerate() {
            *row += usize::from(i > 0);
            while lines.len() <= *row {
                lines.push(String::new());
            }
            lines[*row].push_str(part);
        }
    }

    fn text(&self) -> String {
        let screen = self.0.lock().expect("no test panics with it");
        screen.0.iter().map(|l| l.trim_end()).collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }
}

impl indicatif::TermLike for Screen {
    fn width(&self) -> u16 {
        60
    }
    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        let mut screen = self.0.lock().expect("no test panics with it");
        screen.1 = screen.1.saturating_sub(n);
        Ok(())
    }
    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.lock().expect("no test panics with it").1 += n;
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write(&format!("{text}\n"));
        Ok(())
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.write(text);
        Ok(())
    }
    fn clear_line(&self) -> io::Result<()> {
        let mut screen = self.0.lock().expect("no test panics with it");
        let row = screen.1;
        if let Some(line) = screen.0.get_mut(row) {
            line.clear();
        }
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

fn progress() -> (Progress, Screen) {
    let screen = Screen::default();
    (Progress::on(ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 255)), screen)
}

fn started(reviewer: &str, bundles: usize) -> Event {
    Event::ReviewerStarted { reviewer: reviewer.to_owned(), model: "model-a".to_owned(), bundle: 1, bundles }
}

fn finished(reviewer: &str, failed: Option<&str>) -> Event {
    let failed = failed.map(str::to_owned);
    Event::ReviewerFinished { reviewer: reviewer.to_owned(), bundle: 1, findings: 2, failed, ms: 10 }
}

/// What each reviewer's line says.
fn messages(progress: &Progress) -> String {
    let state = progress.state.lock().expect("no test panics with it");
    state.lines.iter().map(|(id, r)| format!("{id}: {}\n", r.bar.message())).collect()
}

#[test]
fn a_line_says_what_a_reviewer_does() {
    let (progress, _) = progress();
    progress.emit(&started("quality", 2));
    progress.emit(&started("docs", 1));
    progress.emit(&started("security", 1));
    progress.emit(&started("release", 1));
    let retry = Event::ModelRetried { reviewer: "security".to_owned(), reason: "429".to_owned(), wait_ms: 3_000 };
    progress.emit(&retry);
    progress.emit(&Event::ToolCalled {
        reviewer: "docs".to_owned(),
        bundle: 1,
        tool: "read_file".to_owned(),
        about: "a\x1b[2J\nb".to_owned(),
        failed: false,
        ms: 5,
    });
    progress.emit(&finished("quality", None));
    progress.emit(&finished("release", Some("no answer within 120 s")));
    insta::assert_snapshot!(messages(&progress), @"
    docs: read_file a[2J b
    quality: [1/2] 2 findings so far
    release: failed: no answer within 120 s
    security: tries again in 3.0 s: 429
    ");
}

#[test]
fn nothing_is_left_on_the_screen() {
    for by_event in [true, false] {
        let (progress, screen) = progress();
        progress.emit(&started("quality", 1));
        progress.emit(&started("docs", 1));
        progress.emit(&finished("docs", None));
        let lines = screen.text();
        assert!(lines.contains("quality") && lines.contains("✓ docs"), "{lines:?}");
        if by_event {
            progress.emit(&Event::Finished { outcome: "pass".to_owned(), findings: 0, ms: 1 });
        } else {
            progress.clear();
        }
        assert_eq!(screen.text(), "");
        progress.emit(&started("late", 1));
        std::thread::sleep(2 * TICK);
        assert_eq!(screen.text(), "", "what comes after the end draws nothing");
    }
}
