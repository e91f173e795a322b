//! Every key of the configuration: the one place where a key is defined.

use super::checks::*;
use super::keys::Kind::{Bool, Command, List, Map, Number, OneOf, Record, Refused, Table, Text, Whole};
use super::keys::{Choice, Key, Kind, Remote};

/// The whole document.
pub(crate) static ROOT: Kind = Table(KEYS);

/// All keys, in the order in which they are shown.
pub(crate) static KEYS: &[Key] = &[
    Key::new("fail_on", FAIL_ON, "The gate: findings of this severity or worse fail the run. `never` only reports.").or(r#""critical""#),
    Key::new("min_confidence", CONFIDENCE, "Model findings below this confidence (0 to 1) are left out, and listed as dropped.").or("0.5"),
    Key::new("language", Text(&LANGUAGE), "The language of the reviewers' prose, by its English name. Ids and severities stay English.")
        .or(r#""English""#),
    Key::new("private_paths", GLOBS, "Files whose contents never reach a model, by any way; rules still run over them. Layers add up.").or("[]"),
    Key::new("reviewers", Map { names: &REVIEWER_ID, of: &Table(REVIEWER) }, "Settings of single reviewers, by id."),
    Key::new("rules", Table(RULES), "How far single rules are in force. Binding rules of the organisation cannot be relaxed."),
    Key::new(
        "waivers",
        List { of: &Record(WAIVER), at_least: 0, adds: true },
        "Findings of a rule that are accepted in some files until a day. They are counted and listed, not shown; an expired entry is a finding. Layers add up.",
    )
    .or("[]"),
    Key::new("tiers", Table(TIERS), "What makes a change trivial, lite or full, counted after the noise filter."),
    Key::new("noise", Table(NOISE), "Files that nobody needs to review."),
    Key::new(
        "overrides",
        List { of: &Record(OVERRIDE), at_least: 0, adds: true },
        "Other settings for some paths. Of several entries that fit a path, the later one wins key by key.",
    )
    .or("[]"),
    Key::new(
        "models",
        Table(MODELS),
        "Which models serve which tier: the first that answers. A tier without any uses the nearest: standard, then top, then light.",
    )
        .operator(),
    Key::new("endpoints", Map { names: &NAME, of: &Record(ENDPOINT) }, "Gateways that code and keys may go to, by a name of your own.")
        .operator()
        .remote(Remote::Never),
    Key::new(
        "endpoints_off",
        List { of: &Text(&NAME), at_least: 0, adds: true },
        "Names of endpoints that are not to be used. Models at them are passed over. Layers add up.",
    )
    .or("[]")
    .operator(),
    Key::new(
        "prices",
        Map { names: &MODEL, of: &Record(PRICE) },
        "Dollars per million tokens, by the model's name as it is asked for. They go before the built-in list; dollars are counted and limited for models that have a price.",
    )
    .operator(),
    Key::new("limits", Table(LIMITS), "What a run may take at most.").operator(),
    Key::new(
        "rule_sources",
        List { of: &Text(&RULE_SOURCE), at_least: 0, adds: true },
        "Rules of the organisation: directories, relative to the file that names them, or git repositories at one commit (`https://host/codex.git@<full commit id>`; ssh as well), of which the folder `rules/` counts where there is one. Layers add up.",
    )
    .or("[]")
    .operator(),
    Key::new(
        "prompts",
        Map { names: &PROMPT_NAME, of: &Text(&PROMPT) },
        "Prompt files of the organisation, by name (`security.md`, `_shared.md`): instead of the built-in ones, or more reviewers.",
    )
    .operator(),
    Key::new("rollout", Table(ROLLOUT), "How far tribune is in use, and where.").operator(),
    Key::new(
        "locked",
        List { of: &Text(&LOCKABLE), at_least: 0, adds: true },
        "Keys (`fail_on`, `limits`, `reviewers.security`) that later layers can only tighten.",
    )
    .or("[]")
    .operator()
    .remote(Remote::Only),
    Key::new("remote", Record(REMOTE), "Where the organisation's configuration is fetched from; TRIBUNE_CONFIG_URL has precedence.")
        .operator()
        .remote(Remote::Never),
    Key::new("override", Table(OVERRIDE_GATE), "Who opens the gate by hand.").operator(),
    Key::new("post", Table(POST), "What is posted to a merge request."),
    Key::new(
        "summary",
        OneOf(&[Choice::new("findings"), Choice::new("always")]),
        "When a first round writes a summary comment: with `findings` only when it has any, or when it could not look at everything.",
    )
    .or(r#""findings""#),
];

static POST: &[Key] = &[
    Key::new("inline_max", Whole { min: 0, max: 1_000 }, "The most open threads of ours in a merge request; the rest stands in the summary.")
        .or("10"),
    Key::new("approve", Bool, "Approve a head that passes.").or("false").operator(),
    Key::new("unapprove", Bool, "Take our approval back when a head does not pass.").or("false").operator(),
    Key::new("request_changes", Bool, "Ask for changes when findings fail the gate, where the forge has that.").or("false").operator(),
];

static OVERRIDE_GATE: &[Key] = &[Key::new(
    "roles",
    List { of: &OneOf(&[Choice::new("developer"), Choice::new("maintainer")]), at_least: 1, adds: false },
    "The roles that may break the glass and settle critical findings; who has a higher role may, too.",
)
.or(r#"["maintainer"]"#)];

const FAIL_ON: Kind =
    OneOf(&[Choice::new("critical"), Choice::new("important"), Choice::new("suggestion"), Choice::new("nit"), Choice::new("never")]);
const SEVERITY: Kind = OneOf(&[Choice::new("critical"), Choice::new("important"), Choice::new("suggestion"), Choice::new("nit")]);
const RULE_STATUS: Kind = OneOf(&[Choice::new("trial"), Choice::new("advisory"), Choice::new("enforced")]);
const TIER: Kind = OneOf(&[Choice::new("trivial"), Choice::new("lite"), Choice::new("full")]);
const CONFIDENCE: Kind = Number { min: 0.0, max: 1.0 };
const GLOBS: Kind = List { of: &Text(&GLOB), at_least: 0, adds: true };
const DOLLARS: Kind = Number { min: 0.0, max: 1_000_000.0 };
const SECONDS: Kind = Whole { min: 1, max: 86_400 };
const COUNT: Kind = Whole { min: 0, max: 1_000_000 };

static REVIEWER: &[Key] = &[
    Key::new("enabled", Bool, "`false` leaves this reviewer out."),
    Key::new(
        "tiers",
        List { of: &TIER, at_least: 0, adds: false },
        "The tiers it runs in, instead of its own. `[]`: only when its signals call for it.",
    ),
    Key::new(
        "model",
        Text(&MODEL),
        "A model of its own, or a tier's name (`top`, `standard`, `light`) for that tier's models. The models of its tier follow where its own does not answer. Also for `coordinator`.",
    )
    .operator(),
];

static RULES: &[Key] = &[
    Key::new("off", List { of: &Text(&RULE_ID), at_least: 0, adds: true }, "Rules that do not run. Layers add up.").or("[]"),
    Key::new(
        "status",
        Map { names: &RULE_ID, of: &RULE_STATUS },
        "By rule id: `trial` (counted, not shown), `advisory` (never gates) or `enforced`.",
    ),
    Key::new("severity", Map { names: &RULE_ID, of: &SEVERITY }, "By rule id: how bad a hit is."),
];

static WAIVER: &[Key] = &[
    Key::new("rule", Text(&RULE_ID), "The rule.").required(),
    Key::new("paths", List { of: &Text(&GLOB), at_least: 1, adds: false }, "The files.").required(),
    Key::new("until", Text(&DAY), "The last day on which it counts, such as `2027-01-31`.").required(),
    Key::new("reason", Text(&REASON), "Why, for those who read the report.").required(),
];

static TIERS: &[Key] = &[
    Key::new("trivial_lines", COUNT, "The most changed lines of a trivial change.").or("10"),
    Key::new("trivial_files", COUNT, "The most files of a trivial change.").or("20"),
    Key::new("lite_lines", COUNT, "The most changed lines of a lite change.").or("100"),
    Key::new("lite_files", COUNT, "The most files of a lite change.").or("20"),
    Key::new("full_files", COUNT, "More files than this are always full.").or("50"),
    Key::new(
        "sensitive_paths",
        GLOBS,
        "Security-sensitive files, upper and lower case alike: a change to one is full, and no path pattern filters it. Layers add up, the built-in list included.",
    )
    .or(SENSITIVE),
];

/// Few and sure: what a security team wants to look at whoever changes it.
const SENSITIVE: &str = r#"[
    "auth/", "oauth/", "oauth2/", "authn/", "authz/", "authentication/", "authorization/", "{auth,oauth,oauth2,authn,authz,authentication,authorization}.*", "{auth,oauth}[_-]*.*", "*[_-]auth.*",
    "crypto/", "cryptography/", "{crypto,encryption,decryption}.*", "*[_-]crypto.*",
    "secrets/", "credentials/", "{secret,secrets,credential,credentials,password,passwords}.*", "*[_-]{secret,secrets,credential,credentials,password,passwords}.*",
    ".env", ".env.*", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", ".npmrc", ".pypirc", ".netrc",
    "permissions/", "rbac/", "iam/", "acl/", "{permission,permissions,rbac,acl}.*", "sudoers",
    "payment/", "payments/", "{payment,payments}.*",
    "Dockerfile", "Dockerfile.*", "*.dockerfile", "Containerfile", "CODEOWNERS"
]"#;

static NOISE: &[Key] = &[
    Key::new("paths", GLOBS, "Further generated or vendored files. A glob filters only what is measurably minified, or lies where the base already had files that it fits. Layers add up.").or("[]"),
    Key::new("keep", GLOBS, "Files that are never filtered, unless they are binary. Layers add up.").or("[]"),
];

static OVERRIDE: &[Key] = &[
    Key::new("paths", List { of: &Text(&GLOB), at_least: 1, adds: false }, "The files that this entry is for.").required(),
    Key::new("fail_on", FAIL_ON, "As at the top."),
    Key::new("min_confidence", CONFIDENCE, "As at the top."),
    Key::new("rules", Table(RULES), "As at the top."),
    Key::new("reviewers", Map { names: &REVIEWER_ID, of: &Table(OVERRIDE_REVIEWER) }, "Reviewers to leave out or to keep, by id."),
    Key::new("language", Refused(WHOLE_CHANGE), ""),
    Key::new("tiers", Refused(WHOLE_CHANGE), ""),
    Key::new("noise", Refused("put the globs, with their folder, into `noise` at the top"), ""),
    Key::new("private_paths", Refused("put the globs, with their folder, into `private_paths` at the top"), ""),
    Key::new("overrides", Refused("entries do not nest"), ""),
    Key::new("summary", Refused(WHOLE_CHANGE), ""),
    Key::new("post", Refused(WHOLE_CHANGE), ""),
];
const WHOLE_CHANGE: &str = "it holds for the whole change: set it at the top";

static OVERRIDE_REVIEWER: &[Key] =
    &[Key::new("enabled", Bool, "`false`: what this reviewer finds in these files is left out."), Key::new("tiers", Refused(WHOLE_CHANGE), "")];

static MODELS: &[Key] = &[
    Key::new("top", CHAIN, "For what is hardest: security, the judge of a full change."),
    Key::new("standard", CHAIN, "For most reviewers."),
    Key::new("light", CHAIN, "For what is easy: docs, AGENTS.md."),
];
const CHAIN: Kind = List { of: &Record(CHAIN_ENTRY), at_least: 1, adds: false };

static CHAIN_ENTRY: &[Key] = &[
    Key::new("model", Text(&MODEL), "The model's name as the gateway knows it.").required(),
    Key::new("endpoint", Text(&NAME), "One of `endpoints`; needed only where there are several and none is called `default`."),
];

static ENDPOINT: &[Key] = &[
    Key::new(
        "url",
        Text(&URL),
        "The gateway's base, such as `https://host/v1`; for cloudflare with account and gateway. https, or http on this machine.",
    )
    .required(),
    Key::new("preset", PRESET, "What kind of gateway it is; `openai` where it is left out."),
    Key::new("wire", WIRE, "The format it speaks, where it is not the preset's."),
    Key::new("token_env", Text(&TOKEN_ENV), "The environment variable that holds its token; its name begins with `TRIBUNE_`."),
    Key::new(
        "token_file",
        Text(&FILE),
        "The file that holds its token, relative to the file that names it. Read again once when the gateway answers 401.",
    ),
    Key::new(
        "token_command",
        Command,
        "A program and its arguments, as a list or as one text split at blanks; run without a shell, its standard output is the token. Run again once on 401.",
    ),
    Key::new("client_cert", Text(&FILE), "A PEM file with a client certificate and its private key, relative to the file that names it."),
    Key::new("headers", Map { names: &HEADER_NAME, of: &Text(&HEADER_VALUE) }, "Further headers of each request. Their values are never shown."),
    Key::new("token", Refused("a token never stands in a file: name its variable by `token_env`, or its file by `token_file`"), ""),
];
pub(super) const PRESET: Kind = OneOf(&[
    Choice::new("openai"),
    Choice::new("anthropic"),
    Choice::new("google"),
    Choice::new("cloudflare"),
    Choice::new("litellm"),
    Choice::new("openrouter"),
    Choice::new("portkey"),
]);
pub(super) const WIRE: Kind = OneOf(&[Choice::new("chat"), Choice::new("responses"), Choice::new("messages"), Choice::new("generate-content")]);

static PRICE: &[Key] = &[
    Key::new("input", DOLLARS, "Dollars per million input tokens that were not cached.").required(),
    Key::new("cached", DOLLARS, "Input read from the cache; as `input` where it is left out."),
    Key::new("cache_write", DOLLARS, "Input written to the cache; as `input` where it is left out."),
    Key::new("output", DOLLARS, "Dollars per million output tokens.").required(),
    Key::new("long", Record(LONG_PRICE), "Other prices for a whole request with a long input."),
];

static LONG_PRICE: &[Key] = &[
    Key::new("above", Whole { min: 1, max: 100_000_000 }, "More input tokens than this, cached ones included.").required(),
    Key::new("input", DOLLARS, "As above.").required(),
    Key::new("cached", DOLLARS, "As above."),
    Key::new("cache_write", DOLLARS, "As above."),
    Key::new("output", DOLLARS, "As above.").required(),
];

static REMOTE: &[Key] = &[
    Key::new("url", Text(&DOCUMENT_URL), "A document with these keys, over https (http on this machine). Fetched at each run, at most 2 s; the last good copy serves where it cannot be had.").required(),
    Key::new("token_env", Text(&TOKEN_ENV), "The variable with the token for it, sent as `Authorization: Bearer`; TRIBUNE_CONFIG_TOKEN where it is left out."),
];

static ROLLOUT: &[Key] = &[
    Key::new("mode", MODE, "`off`: a job ends at once. `shadow`: reviews and exports, posts nothing, never fails. `rules`: no model. `comment`: posts, never fails. `gate`: all of it.")
        .or(r#""gate""#),
    Key::new("text", Text(&LINE), "What a job says where the mode is `off`."),
    Key::new(
        "overrides",
        List { of: &Record(ROLLOUT_OVERRIDE), at_least: 0, adds: false },
        "Other modes for some projects. Of several entries that fit, the last one counts; an entry fits where all that it names fits.",
    )
    .or("[]"),
];
const MODE: Kind = OneOf(&[Choice::new("off"), Choice::new("shadow"), Choice::new("rules"), Choice::new("comment"), Choice::new("gate")]);

static ROLLOUT_OVERRIDE: &[Key] = &[
    Key::new("host", Text(&LINE), "The forge's host, with its port where it has one."),
    Key::new("group", Text(&LINE), "A group's path: all projects below it."),
    Key::new("project", Text(&LINE), "A project's whole path."),
    Key::new("target_branch", Text(&BRANCHES), "A glob of target branches, such as `main` or `release/*`."),
    Key::new("percent", Whole { min: 0, max: 100 }, "So many of a hundred projects, always the same: a larger number only adds some."),
    Key::new("mode", MODE, "The mode there.").required(),
    Key::new("text", Text(&LINE), "What a job says where this mode is `off`."),
];

static LIMITS: &[Key] = &[
    Key::new("idle_seconds", SECONDS, "An answer that sends no byte for so long is given up.").or("60"),
    Key::new("first_byte_seconds", SECONDS, "A request without the first byte of an answer after so long is given up.").or("120"),
    Key::new("reviewer_seconds", SECONDS, "The most time for one reviewer, unless its own file says more.").or("300"),
    Key::new("run_seconds", SECONDS, "The most time for the run.").or("1500"),
    Key::new(
        "tokens",
        Whole { min: 1, max: 1_000_000_000_000 },
        "The most tokens of the run, input and output together. As long as nobody sets it, only those of models without a price count.",
    )
    .or("2000000"),
    Key::new("usd", DOLLARS, "The most dollars of the run, of models that have a price.").or("2.0"),
    Key::new(
        "usd_per_change",
        DOLLARS,
        "The most dollars of all runs of a merge request. What earlier ones cost is read from our own comments, and counts with TRIBUNE_STATE_KEY only.",
    )
    .or("6.0"),
    Key::new("parallel", Whole { min: 1, max: 64 }, "The most requests at the same time at one endpoint.").or("8"),
    Key::new(
        "context_tokens",
        Whole { min: 0, max: 1_000_000 },
        "The most tokens of context around the diff. Left out: 0.35 of the diff's tokens, at least 4,000.",
    ),
    Key::new("bundle_tokens", Whole { min: 1_000, max: 1_000_000 }, "A change with more tokens is split into bundles of about this size.")
        .or("40000"),
];
