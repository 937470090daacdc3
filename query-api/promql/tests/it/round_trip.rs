//! Properties over generated expressions and histograms.

use promql::histogram::{Buckets, FloatHistogram};
use promql::options::Syntax;
use promql::parse;
use proptest::prelude::*;

/// Texts of instant vectors, nested a few levels deep; most are expressions.
fn vectors() -> impl Strategy<Value = String> {
    let leaf = (name(), matchers(), modifiers()).prop_map(|(n, m, s)| format!("{n}{m}{s}"));
    leaf.prop_recursive(5, 40, 3, |inner| {
        prop_oneof![
            (inner.clone(), operators(), inner.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            (inner.clone(), numbers()).prop_map(|(a, n)| format!("{a} > bool {n}")),
            inner.clone().prop_map(|a| format!("-({a})")),
            (aggregations(), inner.clone()).prop_map(|(op, a)| format!("{op} ({a})")),
            (functions(), name(), durations()).prop_map(|(f, n, d)| format!("{f}({n}[{d}])")),
            (functions(), inner.clone(), durations())
                .prop_map(|(f, a, d)| format!("{f}(({a})[{d}:1m] offset 5m)")),
            (inner, any::<String>()).prop_map(|(a, s)| {
                format!("label_replace({a}, 'x', {}, 'y', '.*')", promql::quote::quoted(&s))
            }),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    const WORDS: [&str; 9] =
        ["inf", "nan", "on", "bool", "ignoring", "atan2", "group_left", "group_right", "by"];
    let fixed = prop::sample::select(vec!["sum", "offset", "step", "max_of", "a:b"]).prop_map(str::to_owned);
    prop_oneof!["[a-z_:][a-z0-9_:]{0,6}", fixed]
        .prop_filter("a word that is no name", |n| !WORDS.contains(&n.as_str()))
}

fn matchers() -> impl Strategy<Value = String> {
    let value = any::<String>().prop_map(|s| promql::quote::quoted(&s.replace('\u{fffd}', "")));
    prop_oneof![
        Just(String::new()),
        value.clone().prop_map(|v| format!("{{a={v},}}")),
        value.prop_map(|v| format!("{{\"b.c\"!={v}, d=~\"x|y.*\"}}")),
    ]
}

fn modifiers() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        " offset 1h30m",
        " offset -5",
        " @ 12.345",
        " @ start() offset 1d",
        " anchored",
        " smoothed @ end()",
        " offset (1m * 2)",
        " offset -step()",
    ])
}

fn operators() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "+",
        "-",
        "/",
        "^",
        "==",
        "<=",
        "</",
        ">/",
        "and",
        "or",
        "unless",
        "atan2",
        "+ on (a, b)",
        "* ignoring () group_left (c)",
        "/ on (a) group_right ()",
        "+ fill (0)",
        "== bool fill_left (-1)",
    ])
}

fn aggregations() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["sum", "avg by (a)", "count without (b, \"c.d\")", "group by ()", "max"])
}

fn functions() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["rate", "max_over_time", "absent_over_time", "mad_over_time", "deriv"])
}

fn durations() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "5m",
        "1h30m",
        "300",
        "1m + 2m * 3",
        "(step() - -1s)",
        "max_of(1m, range())",
        "2 ^ 3 ^ 2",
    ])
}

fn numbers() -> impl Strategy<Value = String> {
    any::<f64>().prop_filter("NaN equals nothing", |v| !v.is_nan()).prop_map(promql::number::general)
}

fn histograms() -> impl Strategy<Value = FloatHistogram> {
    let side = || prop::collection::btree_map(-20..20i32, 0..100u32, 0..8);
    let width = prop::sample::select(vec![0.0, 0.001, 0.3]);
    (-2..4i32, side(), side(), 0..50u32, width).prop_map(|(schema, above, below, zero, zero_threshold)| {
        let buckets = |m: std::collections::BTreeMap<i32, u32>| -> Buckets {
            m.into_iter().map(|(i, c)| (i, f64::from(c))).collect()
        };
        let mut h = FloatHistogram {
            schema,
            zero_threshold,
            zero_count: f64::from(zero),
            positive: buckets(above),
            negative: buckets(below),
            ..FloatHistogram::default()
        };
        // what lies in the zero bucket is counted there
        let outside = |b: promql::histogram::Bucket| b.lower >= zero_threshold || b.upper <= -zero_threshold;
        let positive = h.positive_buckets().filter(|b| outside(*b)).map(|b| (b.index, b.count)).collect();
        let negative = h.negative_buckets().filter(|b| outside(*b)).map(|b| (b.index, b.count)).collect();
        (h.positive, h.negative) = (positive, negative);
        h.count = population(&h);
        h.sum = h.count / 2.0;
        h
    })
}

fn population(h: &FloatHistogram) -> f64 {
    h.zero_count + h.positive.counts().sum::<f64>() + h.negative.counts().sum::<f64>()
}

proptest! {
    #[test]
    fn what_is_printed_is_read_as_the_same_tree(text in vectors()) {
        let syntax = Syntax::default();
        if let Ok(tree) = parse::expr(&text, &syntax) {
            for printed in [tree.to_string(), promql::pretty::pretty(&tree)] {
                let again = parse::expr(&printed, &syntax);
                let again = again.map_err(|e| TestCaseError::fail(format!("{printed}: {e}")))?;
                prop_assert_eq!(again.without_spans(), tree.without_spans(), "{}", printed);
            }
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>(), at in 0..40usize, base in vectors()) {
        let _ = parse::expr(&text, &Syntax::default());
        let cut: String = base.chars().take(at).chain(text.chars().take(3)).chain(base.chars().skip(at)).collect();
        let _ = parse::expr(&cut, &Syntax::default());
    }

    #[test]
    fn adding_histograms_loses_no_observation(a in histograms(), b in histograms()) {
        let mut sum = a.clone();
        prop_assert!(sum.add(&b).is_ok());
        prop_assert_eq!(population(&sum), population(&a) + population(&b));
        prop_assert_eq!(sum.schema, a.schema.min(b.schema));
        let mut turned = b.clone();
        prop_assert!(turned.add(&a).is_ok());
        prop_assert!(sum.compact().equals(turned.compact()), "{} and {}", sum, turned);
        // a sum holds no less than its parts: it is no reset, unless buckets were joined over the edge of the zero bucket
        prop_assert!(sum.schema < a.schema || !sum.detect_reset(&a));
    }

    #[test]
    fn subtracting_undoes_adding(a in histograms(), b in histograms()) {
        let mut sum = a.clone();
        prop_assert!(sum.add(&b).is_ok());
        prop_assert!(sum.sub(&b).is_ok());
        prop_assert_eq!(sum.count, a.count);
        prop_assert_eq!(population(&sum), population(&a));
    }

    #[test]
    fn compensated_sums_of_whole_numbers_are_plain_sums(all in prop::collection::vec(histograms(), 2..6)) {
        let mut plain = FloatHistogram { schema: 3, ..FloatHistogram::default() };
        let mut compensated = plain.clone();
        let mut lost = None;
        for h in &all {
            prop_assert!(plain.add(h).is_ok());
            prop_assert!(compensated.kahan_add(h, &mut lost).is_ok());
        }
        if let Some(lost) = lost {
            prop_assert!(compensated.add(&lost).is_ok());
        }
        prop_assert!(plain.compact().equals(compensated.compact()), "{} and {}", plain, compensated);
    }

    #[test]
    fn buckets_survive_spans(h in histograms()) {
        let counts: Vec<f64> = h.positive.counts().collect();
        prop_assert_eq!(&Buckets::from_spans(&h.positive.spans(), &counts), &h.positive);
    }
}
