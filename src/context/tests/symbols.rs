//! Symbols of each language, beside the text they stand in.

use crate::context::{enclosing, symbols_of};
use crate::path::RepoPath;
use crate::text::FileText;

fn list(path: &str, text: &str) -> String {
    let path = RepoPath::from(path);
    let mut out = String::new();
    for s in symbols_of(&path, &FileText::whole(text.as_bytes())) {
        let test = if s.is_test { " (test)" } else { "" };
        out.push_str(&format!("{}-{} {} {}{test} | {}\n", s.start, s.end, s.label, s.name, s.signature));
    }
    out
}

#[test]
fn rust() {
    let text = "/// Doc.\n#[derive(Debug)]\npub struct Client<T> {\n    url: T,\n}\n\nimpl<T> Client<T> {\n    // why\n    pub fn send(\n        &self,\n    ) -> u32 {\n        1\n    }\n}\n\nimpl Drop for Client<u8> {\n    fn drop(&mut self) {}\n}\nconst MAX: u32 = 5;\n#[cfg(test)]\nmod tests {\n    #[tokio::test]\n    async fn sends() {}\n}\n";
    insta::assert_snapshot!(list("a.rs", text), @r"
    1-5 struct Client | pub struct Client<T>
    4-4 field Client::url | url: T
    7-14 impl Client | impl<T> Client<T>
    8-13 fn Client::send | pub fn send(&self) -> u32
    16-18 impl <Client as Drop> | impl Drop for Client<u8>
    17-17 fn <Client as Drop>::drop | fn drop(&mut self)
    19-19 const MAX | const MAX: u32 = 5;
    20-24 mod tests | mod tests
    22-23 fn tests::sends (test) | async fn sends()
    ");
}

#[test]
fn python() {
    let text = "LIMIT = 3\n\n@app.route('/')\ndef index(a,\n          b=1) -> str:\n    x = 1\n    return x\n\nclass Repo(Base):\n    size: int = 4\n\n    @property\n    def name(self):\n        def inner(): pass\n        return inner\n\ndef test_index():\n    assert index(1)\n";
    insta::assert_snapshot!(list("a.py", text), @r"
    1-1 variable LIMIT | LIMIT = 3
    3-7 def index | def index(a, b=1) -> str:
    9-15 class Repo | class Repo(Base):
    10-10 variable Repo.size | size: int = 4
    12-15 def Repo.name | def name(self):
    17-18 def test_index (test) | def test_index():
    ");
}

#[test]
fn typescript() {
    let text = "export const retries = 3;\n\n/** Sends. */\nexport const send = async (a: string): Promise<void> => {\n  await go(a);\n};\n\nexport default class Client {\n  private url = '';\n  get(id: number) {\n    return id;\n  }\n}\n\ninterface Opts { url: string }\n\ndescribe('client', () => {\n  it('sends', () => {\n    send('a');\n  });\n});\n";
    insta::assert_snapshot!(list("a.ts", text), @r#"
    1-1 const retries | retries = 3
    3-6 function send | send = async (a: string): Promise<void> =>
    8-13 class Client | class Client
    9-9 field Client.url | private url = ''
    10-12 method Client.get | get(id: number)
    15-15 interface Opts | interface Opts
    15-15 field Opts.url | url: string
    17-21 describe "client" | describe "client"
    18-20 test "client"."sends" (test) | test "sends"
    "#);
}

#[test]
fn go() {
    let text = "package a\n\n// Client talks.\ntype Client struct {\n\turl string\n}\n\nconst (\n\tMax = 3\n\tMin = 1\n)\n\nfunc (c *Client) Send(x int) error {\n\treturn nil\n}\n\nfunc TestSend(t *testing.T) {}\n";
    insta::assert_snapshot!(list("a.go", text), @r"
    3-6 type Client | Client struct
    5-5 field Client.url | url string
    8-9 const Max | Max = 3
    10-10 const Min | Min = 1
    13-15 func Client.Send | func (c *Client) Send(x int) error
    17-17 func TestSend (test) | func TestSend(t *testing.T)
    ");
}

#[test]
fn java_ruby_c() {
    let java = "class A {\n  private static final int MAX = 3;\n  @Test\n  void works() { }\n}\n";
    insta::assert_snapshot!(list("A.java", java), @r"
    1-5 class A | class A
    2-2 field A.MAX | private static final int MAX = 3;
    3-4 method A.works (test) | @Test void works()
    ");
    let ruby =
        "module M\n  class A\n    LIMIT = 3\n    def self.run(x)\n      x\n    end\n  end\nend\ndescribe 'a' do\n  it 'works' do\n  end\nend\n";
    insta::assert_snapshot!(list("a.rb", ruby), @r#"
    1-8 module M | module M
    2-7 class M.A | class A
    3-3 constant M.A.LIMIT | LIMIT = 3
    4-6 def M.A.run | def self.run(x)
    9-12 describe "a" | describe "a"
    10-11 test "a"."works" (test) | test "works"
    "#);
    let c = "#define MAX 3\nstruct node { int x; };\nstatic struct node *find(struct node *n, int x)\n{\n  return n;\n}\n";
    insta::assert_snapshot!(list("a.c", c), @r"
    1-1 #define MAX | #define MAX 3
    2-2 struct node | struct node
    2-2 field node.x | int x;
    3-6 function find | static struct node *find(struct node *n, int x)
    ");
}

#[test]
fn scripts_and_settings() {
    insta::assert_snapshot!(list("a.sh", "DIR=/tmp\nclean() {\n  rm -r \"$DIR\"\n}\n"), @r"
    1-1 variable DIR | DIR=/tmp
    2-4 function clean | clean()
    ");
    insta::assert_snapshot!(list("ci.yml", "on: push\njobs:\n  build:\n    permissions:\n      contents: read\n    steps:\n      - run: make\n"), @r"
    1-1 key on | on
    2-7 key jobs | jobs
    3-7 key jobs.build | build
    4-5 key jobs.build.permissions | permissions
    6-7 key jobs.build.steps | steps
    ");
    insta::assert_snapshot!(list("README.md", "# A\n```sh\n# no heading\n```\n## B\ntext\n"), @r"
    1-4 section A | A
    5-6 section B | B
    ");
    insta::assert_snapshot!(list("Cargo.toml", "[package]\nname = 'a'\n[dependencies]\nx = 1\n"), @r"
    1-2 section package | package
    3-4 section dependencies | dependencies
    ");
}

#[test]
fn finds_the_innermost_symbol() {
    let path = RepoPath::from("a.rs");
    let text = "impl A {\n    fn a() {\n    }\n\n    fn b() {\n    }\n}\nfn c() {}\n";
    let all = symbols_of(&path, &FileText::whole(text.as_bytes()));
    let names: Vec<Option<&str>> = (1..=9).map(|n| enclosing(&all, n).map(|i| all[i].name.as_str())).collect();
    assert_eq!(names, [Some("A"), Some("A::a"), Some("A::a"), Some("A"), Some("A::b"), Some("A::b"), Some("A"), Some("c"), None]);
}

#[test]
fn walks_hostile_nesting() {
    let deep = |open: &str, close: &str, n: usize| format!("fn f() {{ {}{} }}\n", open.repeat(n), close.repeat(n));
    for text in [deep("{", "}", 50_000), deep("(", ")", 50_000), deep("(", "", 50_000), "mod a {".repeat(5_000), "impl A { fn b() { ".repeat(2_000)] {
        list("a.rs", &text);
    }
    for text in ["- ".repeat(5_000), "a: ".repeat(5_000), "a:\n ".repeat(400), "{".repeat(20_000)] {
        list("a.yml", &text);
    }
    // These would take time or memory by the square of their length.
    for (path, unit) in [("a.rs", ")({#{"), ("a.rs", "r#\""), ("a.sh", ")\u{202e}"), ("a.rb", "%w(f\"{"), ("a.py", "$(")] {
        list(path, &unit.repeat(60_000 / unit.len()));
    }
    // These would overrun the state that the scanner keeps.
    let stairs = |line: &str| (0..700).map(|n| format!("{}{line}", " ".repeat(n))).collect::<String>();
    assert_eq!(list("a.py", &stairs("if x:\n")), "");
    assert_eq!(list("a.rb", &"puts <<A\n#{\n".repeat(300)), "");
    list("a.py", &format!("{}{}", "f'{".repeat(300), stairs("if x:\n")));
    list("a.py", &"class A:\n".repeat(3_000));
    list("a.ts", &"describe('a', () => {".repeat(3_000));
}
