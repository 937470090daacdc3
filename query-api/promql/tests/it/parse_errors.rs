//! What is no expression, in Prometheus' words and at Prometheus' place.

use promql::options::Syntax;
use promql::parse;

const ERRORS: &[(&str, &str)] = &[
    ("", "unknown position: parse error: no expression found in input"),
    ("# just a comment\n\n", "1:1: parse error: no expression found in input"),
    ("1+", "1:3: parse error: unexpected end of input"),
    (".", "1:1: parse error: unexpected character: '.'"),
    ("2.5.", "1:1: parse error: bad number or duration syntax: \"2.5.\""),
    ("100..4", "1:1: parse error: bad number or duration syntax: \"100..\""),
    ("0deadbeef", "1:1: parse error: bad number or duration syntax: \"0de\""),
    ("1 /", "1:4: parse error: unexpected end of input"),
    ("*1", "1:1: parse error: unexpected <op:*>"),
    ("(1))", "1:5: parse error: unexpected right parenthesis ')'"),
    ("((1)", "1:5: parse error: unclosed left parenthesis"),
    ("(", "1:2: parse error: unclosed left parenthesis"),
    ("1 and 1", "1:1: parse error: set operator \"and\" not allowed in binary scalar expression"),
    ("1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"),
    ("1 =~ 1", "1:3: parse error: unexpected character after '=': '~'"),
    ("1 ! 1", "1:3: parse error: unexpected character after '!': ' '"),
    (
        "-\"string\"",
        "1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got \"string\"",
    ),
    (
        "-test[5m]",
        "1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got \"range vector\"",
    ),
    ("*test", "1:1: parse error: unexpected <op:*>"),
    (
        "1 offset 1d",
        "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
    ),
    ("foo offset 1s offset 2s", "1:1: parse error: offset may not be set multiple times"),
    ("a - on(b) ignoring(c) d", "1:11: parse error: unexpected <ignoring>"),
    ("foo and 1", "1:1: parse error: set operator \"and\" not allowed in binary scalar expression"),
    ("foo or on(bar) group_left(baz) bar", "1:1: parse error: no grouping allowed for \"or\" operation"),
    (
        "foo == on(bar) group_left(bar) bar",
        "1:5: parse error: label \"bar\" must not occur in ON and GROUP clause at once",
    ),
    ("foo + bool bar", "1:5: parse error: bool modifier can only be used on comparison operators"),
    ("foo * on(test) 1", "1:1: parse error: vector matching only allowed between instant vectors"),
    ("foo{", "1:5: parse error: unexpected end of input inside braces"),
    ("foo}", "1:4: parse error: unexpected character: '}'"),
    ("foo{1}", "1:5: parse error: unexpected character inside braces: '1'"),
    ("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
    ("{x=~\".*\"}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
    ("{x!~\".+\"}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
    ("foo{__name__=\"bar\"}", "1:1: parse error: metric name must not be set twice: \"foo\" or \"bar\""),
    (
        "foo{a, b=\"c\"}",
        "1:6: parse error: unexpected \",\" in label matching, expected label matching operator",
    ),
    ("foo{a=b}", "1:7: parse error: unexpected identifier \"b\" in label matching, expected string"),
    (
        "foo{a=\"b\" c}",
        "1:11: parse error: unexpected identifier \"c\" in label matching, expected \",\" or \"}\"",
    ),
    ("foo{,}", "1:5: parse error: unexpected \",\" in label matching, expected identifier or \"}\""),
    ("foo{a>\"b\"}", "1:6: parse error: unexpected character inside braces: '>'"),
    ("some_metric{a=\"\\xff\"} {", "1:23: parse error: unexpected \"{\""),
    ("foo{x=~\"[\"}", "1:5: parse error: error parsing regexp: missing closing ]: `[)$`"),
    ("foo[5mm]", "1:5: parse error: bad number or duration syntax: \"5mm\""),
    ("foo[5m1]", "1:5: parse error: bad number or duration syntax: \"5m1\""),
    ("foo[5m:1m1]", "1:8: parse error: bad number or duration syntax: \"1m1\""),
    (
        "foo[]",
        "1:5: parse error: unexpected \"]\" in subquery or range selector, expected number, duration, step(), or range()",
    ),
    ("foo[-1]", "1:5: parse error: duration must be greater than 0"),
    ("some_metric[5m", "1:15: parse error: unclosed left bracket"),
    (
        "some_metric[5m] OFFSET",
        "1:23: parse error: unexpected end of input in offset, expected number, duration, step(), or range()",
    ),
    ("(foo + bar)[5m]", "1:12: parse error: ranges only allowed for vector selectors"),
    ("foo @ 5 [5m]", "1:9: parse error: no @ modifiers allowed before range"),
    ("foo offset 5m [5m]", "1:15: parse error: no offset modifiers allowed before range"),
    ("foo @ bar", "1:7: parse error: unexpected identifier \"bar\" in @, expected timestamp"),
    ("foo @ start(", "1:13: parse error: unclosed left parenthesis"),
    ("1[5m:]", "1:1: parse error: subquery is only allowed on instant vector, got scalar instead"),
    ("sum(some_metric) by", "1:20: parse error: unexpected end of input in grouping opts, expected \"(\""),
    ("sum some_metric by (test)", "1:5: parse error: unexpected identifier \"some_metric\""),
    (
        "sum (some_metric) by test",
        "1:22: parse error: unexpected identifier \"test\" in grouping opts, expected \"(\"",
    ),
    ("sum () by (test)", "1:1: parse error: no arguments for aggregate expression provided"),
    ("MIN keep_common (some_metric)", "1:5: parse error: unexpected identifier \"keep_common\""),
    (
        "sum without(==)(some_metric)",
        "1:13: parse error: unexpected <op:==> in grouping opts, expected label",
    ),
    ("sum without(,)(some_metric)", "1:13: parse error: unexpected \",\" in grouping opts, expected label"),
    ("sum(a b)", "1:7: parse error: unexpected identifier \"b\" in aggregation"),
    ("sum(rate(foo bar))", "1:14: parse error: unexpected identifier \"bar\" in aggregation"),
    (
        "topk(some_metric)",
        "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1",
    ),
    (
        "topk(some_metric, other_metric)",
        "1:6: parse error: expected type scalar in aggregation parameter, got instant vector",
    ),
    (
        "count_values(5, other_metric)",
        "1:14: parse error: expected type string in aggregation parameter, got scalar",
    ),
    (
        "rate(some_metric)",
        "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector",
    ),
    ("floor()", "1:1: parse error: expected 1 argument(s) in call to \"floor\", got 0"),
    ("floor(some_metric, 1)", "1:1: parse error: expected 1 argument(s) in call to \"floor\", got 2"),
    (
        "hour(some_metric, some_metric)",
        "1:1: parse error: expected at most 1 argument(s) in call to \"hour\", got 2",
    ),
    ("label_join(a)", "1:1: parse error: expected at least 3 argument(s) in call to \"label_join\", got 1"),
    (
        "non_existent_function_far_bar()",
        "1:1: parse error: unknown function with name \"non_existent_function_far_bar\"",
    ),
    (
        "rate(avg)",
        "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector",
    ),
    ("sum(some_metric,)", "1:16: parse error: trailing commas not allowed in function call args"),
    ("`\\", "1:1: parse error: unterminated raw string"),
    ("\"\\", "1:1: parse error: escape sequence not terminated"),
    ("\"\\c\"", "1:1: parse error: unknown escape sequence U+0063 'c'"),
    ("\"\\x.\"", "1:1: parse error: illegal character U+002E '.' in escape sequence"),
    ("foo\n  + bar{", "2:9: parse error: unexpected end of input inside braces"),
    ("foo anchored smoothed", "1:1: parse error: anchored and smoothed modifiers cannot be used together"),
    ("foo[5m:] anchored", "1:1: parse error: anchored modifier is not supported for subqueries"),
    ("foo[5m/0]", "1:7: parse error: division by zero"),
    ("info(a, b)", "1:9: parse error: expected label selectors only, got vector selector instead"),
    ("1 + fill(0) 2", "1:1: parse error: filling in missing series only allowed between instant vectors"),
    ("a and fill(0) b", "1:1: parse error: filling in missing series not allowed for set operators"),
];

#[test]
fn errors_are_worded_and_placed_as_prometheus_does() {
    let mut differ = Vec::new();
    for (text, error) in ERRORS {
        let got = parse::expr(text, &Syntax::default()).map(|e| e.to_string());
        let got = got.map_or_else(|e| e.to_string(), |text| format!("no error, but {text}"));
        if got != *error {
            differ.push(format!("{text}\n  expected {error}\n  got      {got}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn no_text_nests_too_deep_or_takes_too_long() {
    let syntax = Syntax { text_bytes_max: 20 << 20, ..Syntax::default() };
    let deep = "expression nests deeper than 500 levels";
    for text in [
        "(".repeat(10 << 20),
        "-".repeat(10 << 20),
        "sum(".repeat(1 << 20),
        "abs(".repeat(1 << 20),
        format!("a{}", "[5m:]".repeat(1 << 20)),
        format!("a{}", " + a".repeat(1 << 20)),
        format!("a{}", " ^ a".repeat(1 << 20)),
        format!("a[{}", "(".repeat(1 << 20)),
        format!("a[{}", "-".repeat(1 << 20)),
        format!("a[1{}]", "+1".repeat(1 << 20)),
        format!("a[1{}]", "^1".repeat(1 << 20)),
        format!("a offset {}", "min_of(1,".repeat(1 << 20)),
    ] {
        let error = parse::expr(&text, &syntax).unwrap_err();
        assert_eq!(error.message, deep, "{:?}…", text.get(..10));
    }
    let long = parse::expr(&"a".repeat(2 << 20), &Syntax::default()).unwrap_err();
    assert_eq!(long.message, "query of 2097152 bytes is longer than 1048576 bytes");
}

#[test]
fn experiments_can_be_switched_off() {
    let off = Syntax {
        experimental_functions: false,
        duration_expressions: false,
        extended_selectors: false,
        fill_modifiers: false,
        ..Syntax::default()
    };
    for (text, message) in [
        (
            "limitk(1, a)",
            "limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions",
        ),
        ("mad_over_time(a[5m])", "function \"mad_over_time\" is not enabled"),
        ("a[5m+1m]", "experimental duration expression is not enabled"),
        ("a[step()]", "experimental duration expression is not enabled"),
        ("a[5m] anchored", "anchored modifier is experimental and not enabled"),
        ("a + fill(0) b", "binop fill modifiers are experimental and not enabled"),
    ] {
        assert_eq!(parse::expr(text, &off).unwrap_err().message, message, "{text}");
        assert!(parse::expr(text, &Syntax::default()).is_ok(), "{text}");
    }
}
