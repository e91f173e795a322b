//! What counts as a symbol in each linked language: tables of tree-sitter node kinds. No logic.

use crate::lang::Lang;

/// What a symbol is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Holds other symbols and gives them its name: `impl`, module, class, a YAML key.
    Container,
    /// A type whose members are symbols too.
    Type,
    /// A function or method; what is declared inside is its own affair.
    Code,
    /// A constant, static, global, macro.
    Value,
    /// A field or variant.
    Member,
    /// A test case that is a call, such as `it("…", …)`.
    Test,
    /// A heading of a document or a table of a settings file.
    Section,
}

/// One kind of declaration.
pub(super) struct Decl {
    /// The node's kind.
    pub(super) node: &'static str,
    /// What people call it.
    pub(super) label: &'static str,
    /// What it is good for.
    pub(super) class: Class,
    /// The field that holds, or leads to, its name.
    pub(super) name: &'static str,
}

/// One language.
pub(super) struct Grammar {
    /// Stands between a container's name and a member's.
    pub(super) separator: &'static str,
    /// Its declarations.
    pub(super) decls: &'static [Decl],
    /// Nodes around a declaration that belong to it (`export`, decorators, `const (…)`).
    pub(super) wrappers: &'static [&'static str],
    /// The node of a call, where test cases are calls.
    pub(super) test_call: Option<&'static str>,
}

const fn decl(node: &'static str, label: &'static str, class: Class, name: &'static str) -> Decl {
    Decl { node, label, class, name }
}

use Class::{Code, Container, Member, Type, Value};

const RUST: Grammar = Grammar {
    separator: "::",
    decls: &[
        decl("function_item", "fn", Code, "name"),
        decl("function_signature_item", "fn", Code, "name"),
        decl("impl_item", "impl", Container, "type"),
        decl("mod_item", "mod", Container, "name"),
        decl("trait_item", "trait", Type, "name"),
        decl("struct_item", "struct", Type, "name"),
        decl("enum_item", "enum", Type, "name"),
        decl("union_item", "union", Type, "name"),
        decl("type_item", "type", Value, "name"),
        decl("associated_type", "type", Value, "name"),
        decl("const_item", "const", Value, "name"),
        decl("static_item", "static", Value, "name"),
        decl("macro_definition", "macro", Value, "name"),
        decl("enum_variant", "variant", Member, "name"),
        decl("field_declaration", "field", Member, "name"),
    ],
    wrappers: &[],
    test_call: None,
};

const PYTHON: Grammar = Grammar {
    separator: ".",
    decls: &[
        decl("function_definition", "def", Code, "name"),
        decl("class_definition", "class", Type, "name"),
        decl("assignment", "variable", Value, "left"),
        decl("type_alias_statement", "type", Value, "left"),
    ],
    wrappers: &["decorated_definition", "expression_statement"],
    test_call: None,
};

const JAVASCRIPT: Grammar = Grammar {
    separator: ".",
    decls: &[
        decl("function_declaration", "function", Code, "name"),
        decl("generator_function_declaration", "function", Code, "name"),
        decl("class_declaration", "class", Type, "name"),
        decl("abstract_class_declaration", "class", Type, "name"),
        decl("method_definition", "method", Code, "name"),
        decl("variable_declarator", "const", Value, "name"),
        decl("field_definition", "field", Member, "property"),
        decl("public_field_definition", "field", Member, "name"),
        decl("interface_declaration", "interface", Type, "name"),
        decl("type_alias_declaration", "type", Value, "name"),
        decl("enum_declaration", "enum", Type, "name"),
        decl("enum_assignment", "variant", Member, "name"),
        decl("internal_module", "namespace", Container, "name"),
        decl("module", "module", Container, "name"),
        decl("function_signature", "function", Code, "name"),
        decl("method_signature", "method", Member, "name"),
        decl("abstract_method_signature", "method", Member, "name"),
        decl("property_signature", "field", Member, "name"),
    ],
    wrappers: &["export_statement", "lexical_declaration", "variable_declaration", "ambient_declaration", "expression_statement"],
    test_call: Some("call_expression"),
};

const GO: Grammar = Grammar {
    separator: ".",
    decls: &[
        decl("function_declaration", "func", Code, "name"),
        decl("method_declaration", "func", Code, "name"),
        decl("type_spec", "type", Type, "name"),
        decl("type_alias", "type", Value, "name"),
        decl("const_spec", "const", Value, "name"),
        decl("var_spec", "var", Value, "name"),
        decl("field_declaration", "field", Member, "name"),
        decl("method_elem", "method", Member, "name"),
    ],
    wrappers: &["type_declaration", "const_declaration", "var_declaration"],
    test_call: None,
};

const JAVA: Grammar = Grammar {
    separator: ".",
    decls: &[
        decl("class_declaration", "class", Type, "name"),
        decl("interface_declaration", "interface", Type, "name"),
        decl("enum_declaration", "enum", Type, "name"),
        decl("record_declaration", "record", Type, "name"),
        decl("annotation_type_declaration", "annotation", Type, "name"),
        decl("method_declaration", "method", Code, "name"),
        decl("constructor_declaration", "constructor", Code, "name"),
        decl("compact_constructor_declaration", "constructor", Code, "name"),
        decl("field_declaration", "field", Member, "declarator"),
        decl("constant_declaration", "field", Member, "declarator"),
        decl("enum_constant", "variant", Member, "name"),
    ],
    wrappers: &[],
    test_call: None,
};

const RUBY: Grammar = Grammar {
    separator: ".",
    decls: &[
        decl("method", "def", Code, "name"),
        decl("singleton_method", "def", Code, "name"),
        decl("class", "class", Type, "name"),
        decl("module", "module", Container, "name"),
        decl("assignment", "constant", Value, "left"),
    ],
    wrappers: &[],
    test_call: Some("call"),
};

const C: Grammar = Grammar {
    separator: ".",
    decls: &[
        decl("function_definition", "function", Code, "declarator"),
        decl("struct_specifier", "struct", Type, "name"),
        decl("enum_specifier", "enum", Type, "name"),
        decl("union_specifier", "union", Type, "name"),
        decl("type_definition", "typedef", Type, "declarator"),
        decl("preproc_def", "#define", Value, "name"),
        decl("preproc_function_def", "#define", Value, "name"),
        decl("declaration", "declaration", Value, "declarator"),
        decl("field_declaration", "field", Member, "declarator"),
        decl("enumerator", "variant", Member, "name"),
    ],
    wrappers: &[],
    test_call: None,
};

const CPP: Grammar = Grammar {
    separator: "::",
    decls: &[
        decl("namespace_definition", "namespace", Container, "name"),
        decl("function_definition", "function", Code, "declarator"),
        decl("class_specifier", "class", Type, "name"),
        decl("struct_specifier", "struct", Type, "name"),
        decl("enum_specifier", "enum", Type, "name"),
        decl("union_specifier", "union", Type, "name"),
        decl("alias_declaration", "using", Value, "name"),
        decl("type_definition", "typedef", Type, "declarator"),
        decl("preproc_def", "#define", Value, "name"),
        decl("preproc_function_def", "#define", Value, "name"),
        decl("declaration", "declaration", Value, "declarator"),
        decl("field_declaration", "field", Member, "declarator"),
        decl("enumerator", "variant", Member, "name"),
    ],
    wrappers: &["template_declaration"],
    test_call: None,
};

const CSHARP: Grammar = Grammar {
    separator: ".",
    decls: &[
        decl("namespace_declaration", "namespace", Container, "name"),
        decl("class_declaration", "class", Type, "name"),
        decl("interface_declaration", "interface", Type, "name"),
        decl("struct_declaration", "struct", Type, "name"),
        decl("record_declaration", "record", Type, "name"),
        decl("enum_declaration", "enum", Type, "name"),
        decl("delegate_declaration", "delegate", Value, "name"),
        decl("method_declaration", "method", Code, "name"),
        decl("local_function_statement", "function", Code, "name"),
        decl("constructor_declaration", "constructor", Code, "name"),
        decl("property_declaration", "property", Member, "name"),
        decl("event_declaration", "event", Member, "name"),
        decl("enum_member_declaration", "variant", Member, "name"),
    ],
    wrappers: &[],
    test_call: None,
};

const PHP: Grammar = Grammar {
    separator: "::",
    decls: &[
        decl("class_declaration", "class", Type, "name"),
        decl("interface_declaration", "interface", Type, "name"),
        decl("trait_declaration", "trait", Type, "name"),
        decl("enum_declaration", "enum", Type, "name"),
        decl("function_definition", "function", Code, "name"),
        decl("method_declaration", "method", Code, "name"),
        decl("property_element", "property", Member, "name"),
        decl("enum_case", "variant", Member, "name"),
    ],
    wrappers: &["property_declaration"],
    test_call: None,
};

const BASH: Grammar = Grammar {
    separator: ".",
    decls: &[decl("function_definition", "function", Code, "name"), decl("variable_assignment", "variable", Value, "name")],
    wrappers: &[],
    test_call: None,
};

/// The table of a linked language; `None` for one without symbols, or whose grammar is not safe
/// on hostile text (YAML: see [`super::sections`]).
pub(super) fn grammar(lang: Lang) -> Option<&'static Grammar> {
    Some(match lang {
        Lang::Rust => &RUST,
        Lang::Python => &PYTHON,
        Lang::JavaScript | Lang::TypeScript | Lang::Tsx => &JAVASCRIPT,
        Lang::Go => &GO,
        Lang::Java => &JAVA,
        Lang::Ruby => &RUBY,
        Lang::C => &C,
        Lang::Cpp => &CPP,
        Lang::CSharp => &CSHARP,
        Lang::Php => &PHP,
        Lang::Shell => &BASH,
        _ => return None,
    })
}

/// Comments, attributes, decorators: they belong to the declaration that follows.
pub(super) fn leads(kind: &str) -> bool {
    kind.contains("comment") || matches!(kind, "attribute_item" | "decorator" | "marker_annotation" | "annotation")
}
