//! What is an expression: its canonical text, its places, its tree as JSON.

use promql::ast::Expr;
use promql::options::Syntax;
use promql::{ast_json, parse};

fn parsed(text: &str) -> Expr {
    match parse::expr(text, &Syntax::default()) {
        Ok(expr) => expr,
        Err(error) => unreachable!("{text}: {error}"),
    }
}

#[test]
fn texts_are_read_and_written_canonically() {
    let mut differ = Vec::new();
    for (text, canonical) in [
        ("1", "1"),
        ("+Inf", "+Inf"),
        ("-inf", "-Inf"),
        ("0x1F + 0755 + 1_000 + 5e-3 + .5", "31 + 493 + 1000 + 0.005 + 0.5"),
        ("1h30m", "1h30m"),
        ("-1m", "-1m"),
        ("1 + 2 * 3 ^ 4 ^ 5 - 6", "1 + 2 * 3 ^ 4 ^ 5 - 6"),
        ("-a ^ 2", "-a ^ 2"),
        ("--1", "1"),
        ("a and b or c unless d", "a and b or c unless d"),
        ("SUM BY (job, \"a.b\",) (x)", "sum by (job, \"a.b\") (x)"),
        ("sum(x) without ()", "sum without () (x)"),
        ("sum by () (x)", "sum(x)"),
        ("topk by(a) (5, x)", "topk by (a) (5, x)"),
        ("{\"a.b\", job='x'}", "{__name__=\"a.b\",job=\"x\"}"),
        ("{\"a.b\"=\"c\", x=~`y`}", "{\"a.b\"=\"c\",x=~\"y\"}"),
        ("foo{a!=\"b\",}", "foo{a!=\"b\"}"),
        ("sum + by + offset + start + step + max_of", "sum + by + offset + start + step + max_of"),
        ("fill + fill_left", "fill + fill_left"),
        ("a + on(b) group_left(c) fill(0) d", "a + on (b) group_left (c) fill (0) d"),
        ("a + fill_left(-1) fill_right(Inf) d", "a + fill_left (-1) fill_right (+Inf) d"),
        ("a + fill_right(1m) d", "a + fill_right (60) d"),
        ("a == bool b", "a == bool b"),
        ("a </ 5 >/ b", "a </ 5 >/ b"),
        ("a atan2 b", "a atan2 b"),
        ("a[5m] @ 1.5 offset 1h", "a[5m] @ 1.500 offset 1h"),
        ("a offset -1h @ start()", "a @ start() offset -1h"),
        ("a @ -0.001", "a @ -0.001"),
        ("a[1h:5m] @ end() offset 5", "a[1h:5m] @ end() offset 5s"),
        ("a[1h:]", "a[1h:]"),
        ("a[5m] smoothed offset 1m", "a[5m] smoothed offset 1m"),
        ("a anchored", "a anchored"),
        ("a[5m+step()*2]", "a[5m + step() * 2]"),
        ("a[-(5m-range())]", "a[-(5m - range())]"),
        ("a[(5)]", "a[(5)]"),
        ("a offset -2 ^ 2", "a offset -2s ^ 2"),
        ("a offset (2 ^ 2)", "a offset (2 ^ 2)"),
        ("a offset -min_of(step(), 1s)+8000", "a offset -min_of(step(), 1s) + 8000"),
        ("rate(a[5m])", "rate(a[5m])"),
        ("start() + time()", "start() + time()"),
        ("max_of(1, 2)", "max_of(1, 2)"),
        ("info(a, {b=\"c\"})", "info(a, {b=\"c\"})"),
        ("info(a, {})", "info(a, {})"),
        ("label_join(a, \"b\\n\", `,`)", "label_join(a, \"b\\n\", \",\")"),
        ("a # comment\n + b", "a + b"),
        ("((a))", "((a))"),
        ("a:b:c{x=\"1\"}", "a:b:c{x=\"1\"}"),
    ] {
        let tree = parsed(text);
        if tree.to_string() != canonical || parsed(canonical).without_spans() != tree.without_spans() {
            differ.push(format!("{text}\n  expected {canonical}\n  got      {tree}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn every_part_knows_its_place() {
    let text = "  sum by (a) (rate(foo{x=\"y\"}[5m] offset 1h)) + (bar)  ";
    let mut places = Vec::new();
    parsed(text)
        .visit(&mut |e| places.push(text.get(e.span().start..e.span().end).unwrap_or_default().to_owned()));
    assert_eq!(
        places,
        [
            "sum by (a) (rate(foo{x=\"y\"}[5m] offset 1h)) + (bar)",
            "sum by (a) (rate(foo{x=\"y\"}[5m] offset 1h))",
            "rate(foo{x=\"y\"}[5m] offset 1h)",
            "foo{x=\"y\"}[5m] offset 1h",
            "(bar)",
            "bar",
        ]
    );
}

#[test]
fn selectors_and_metrics_are_read_alone() {
    let matchers = parse::selector("foo{a=~\"b.*\", c!=\"d\"}", &Syntax::default()).unwrap();
    let texts: Vec<_> = matchers.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["a=~\"b.*\"", "c!=\"d\"", "__name__=\"foo\""]);
    assert!(parse::selector("foo[5m]", &Syntax::default()).is_err());
    assert_eq!(
        parse::metric("a{b=\"c\", \"d.e\"=\"f\"}").unwrap().to_string(),
        r#"{__name__="a", b="c", "d.e"="f"}"#
    );
    assert_eq!(parse::metric("{\"a b\", c='d'}").unwrap().name(), "a b");
    assert!(parse::metric("a{b}").is_err());
}

#[test]
fn the_tree_is_shown_as_the_api_shows_it() {
    let json = ast_json::to_json(&parsed(
        "sum without(a) (rate(foo{b!=\"c\"}[5m] offset 1m)) / on() group_left 2h30m * bar",
    ));
    assert_eq!(json["op"], "*");
    let quotient = &json["lhs"];
    assert_eq!(quotient["matching"], serde_json::Value::Null);
    let expected = serde_json::json!({
        "type": "matrixSelector", "name": "foo", "range": 300_000, "offset": 60_000,
        "matchers": [
            { "name": "b", "value": "c", "type": "!=" },
            { "name": "__name__", "value": "foo", "type": "=" },
        ],
        "timestamp": null, "startOrEnd": null, "anchored": false, "smoothed": false,
    });
    assert_eq!(quotient["lhs"]["expr"]["args"][0], expected);
    assert_eq!(quotient["lhs"]["grouping"], serde_json::json!(["a"]));
    assert_eq!(quotient["rhs"], serde_json::json!({ "type": "numberLiteral", "val": "9000" }));
}
