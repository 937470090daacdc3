//! Where evaluators of PromQL go wrong, one test each; the numbers are those of the project's list of traps.
//! Trap 12 (regular expressions) is tested in `src/regex.rs`.

use promql::engine::Engine;
use promql::script::{Script, run};

fn check(script: &str) {
    let script = Script::parse(script).map_err(|e| e.to_string());
    let outcomes = script.map(|s| run(&s, &Engine::default()));
    let failed = outcomes.map(|all| all.into_iter().filter(|o| o.failure.is_some()).collect::<Vec<_>>());
    assert_eq!(failed, Ok(Vec::new()));
}

#[test]
fn trap_01_a_stale_marker_ends_a_series_for_instants_and_is_no_sample_for_ranges() {
    check(
        r#"
load 1m
  m 1 2 stale 4
  h {{schema:0 count:1 sum:1 buckets:[1]}} stale

eval instant at 1m m
  m 2

eval instant at 2m m

eval instant at 2m30s m

eval instant at 3m m
  m 4

eval instant at 3m sum_over_time(m[5m])
  {} 7

eval instant at 1m h

eval instant at 1m count_over_time(h[5m])
  {} 1
"#,
    );
}

#[test]
fn trap_02_windows_are_open_on_the_left_and_subqueries_stand_on_multiples_of_their_step() {
    check(
        r#"
load 1m
  m 0+1x10
  once 7

eval instant at 5m count_over_time(m[5m])
  {} 5

eval instant at 4m59s once
  once 7

eval instant at 5m once

eval instant at 7m30s count_over_time(m[5m:2m])
  {} 2

eval instant at 7m30s max_over_time(m[5m:2m])
  {} 6
"#,
    );
}

#[test]
fn trap_03_rates_extrapolate_up_to_a_bound_and_add_what_resets_took() {
    check(
        r#"
load 1m
  c_total 0+60x10
  r_total 10 20 5 15
  mixed_total 1 {{count:1 sum:1}}

eval instant at 5m rate(c_total[5m])
  {} 1

eval instant at 0m rate(c_total[5m])

eval instant at 3m increase(r_total[5m])
  {} 29.166666666666668

eval instant at 1m rate(mixed_total[5m])
  expect warn
"#,
    );
}

#[test]
fn trap_04_at_and_offset_hold_before_the_ends_of_the_query() {
    check(
        r#"
load 1m
  m 0+1x10

eval instant at 10m m @ 180 offset 1m
  m 2

eval instant at 10m m offset 1m @ 180
  m 2

eval range from 2m to 4m step 1m m @ start()
  m 2 2 2

eval range from 2m to 4m step 1m m @ end() offset 1m
  m 3 3 3

eval range from 2m to 4m step 1m timestamp(m @ 60)
  {} 60 60 60

eval range from 2m to 3m step 1m sum_over_time(m[2m:1m] @ 180)
  {} 5 5

eval instant at 0m m offset -1m
  m 1
"#,
    );
}

#[test]
fn trap_05_metric_names_leave_at_the_end() {
    check(
        r#"
load 1m
  a{x="1"} 1
  b{x="1"} 2

eval instant at 0m -{__name__=~"a|b"}
  expect fail

eval instant at 0m label_replace(-{__name__=~"a|b"}, "n", "$1", "__name__", "(.+)")
  {n="a", x="1"} -1
  {n="b", x="1"} -2
"#,
    );
}

#[test]
fn trap_06_nan_has_its_place_and_sums_lose_nothing() {
    check(
        r#"
load 1m
  v{i="1"} NaN
  v{i="2"} 1
  v{i="3"} 3
  k{i="1"} 1
  k{i="2"} 1e100
  k{i="3"} 1
  k{i="4"} -1e100
  big{i="1"} 1.7e308
  big{i="2"} 1.7e308

eval instant at 0m min(v)
  {} 1

eval instant at 0m max(v)
  {} 3

eval instant at 0m sort(v)
  expect ordered
  v{i="2"} 1
  v{i="3"} 3
  v{i="1"} NaN

eval instant at 0m sort_desc(v)
  expect ordered
  v{i="3"} 3
  v{i="2"} 1
  v{i="1"} NaN

eval instant at 0m topk(1, v)
  v{i="3"} 3

eval instant at 0m quantile(0.5, v)
  {} 1

eval instant at 0m sum(k)
  {} 2

eval instant at 0m avg(big)
  {} 1.7e308
"#,
    );
}

#[test]
fn trap_07_quantiles_of_histograms_need_an_end_and_order() {
    check(
        r#"
load 1m
  b_bucket{le="1"} 1
  b_bucket{le="2"} 3
  b_bucket{le="+Inf"} 4
  c_bucket{le="1"} 1
  d_bucket{le="1"} 1
  d_bucket{le="1.0"} 1
  d_bucket{le="+Inf"} 4
  e_bucket{le="1"} 3
  e_bucket{le="2"} 2
  e_bucket{le="+Inf"} 4

eval instant at 0m histogram_quantile(0.5, b_bucket)
  {} 1.5

eval instant at 0m histogram_quantile(1.5, b_bucket)
  expect warn
  {} Inf

eval instant at 0m histogram_quantile(-1, b_bucket)
  expect warn
  {} -Inf

eval instant at 0m histogram_quantile(0.5, c_bucket)
  {} NaN

eval instant at 0m histogram_quantile(0.25, d_bucket)
  {} 0.5

eval instant at 0m histogram_quantile(0.25, e_bucket)
  expect info regex: needed to be fixed for monotonicity
  {} 0.3333333333333333
"#,
    );
}

#[test]
fn trap_08_range_queries_are_sorted_by_labels_whatever_is_asked() {
    check(
        r#"
load 1m
  v{i="1"} 3 3
  v{i="2"} 1 1

eval range from 0 to 1m step 1m sort(v)
  expect warn msg: PromQL warning: sort is ineffective for range queries since results are always ordered by labels (1:1)
  v{i="1"} 3 3
  v{i="2"} 1 1
"#,
    );
}

#[test]
fn trap_13_an_empty_label_equals_an_absent_one() {
    check(
        r#"
load 1m
  e{a="", b="1"} 1

eval instant at 0m e{a=""}
  e{b="1"} 1

eval instant at 0m e{b!="", c=~"|x"}
  e{b="1"} 1

eval instant at 0m {a=""}
  expect fail msg: 1:1: parse error: vector selector must contain at least one non-empty matcher
"#,
    );
}

#[test]
fn trap_14_names_may_be_any_text() {
    check(
        r#"
load 1m
  {"a.b", "c.d"="x y"} 1

eval instant at 0m {"a.b"}
  {"a.b", "c.d"="x y"} 1

eval instant at 0m sum by ("c.d") ({"a.b", "c.d"=~"x.*"})
  {"c.d"="x y"} 1
"#,
    );
}

#[test]
fn trap_15_numbers_as_text_are_gos() {
    check(
        r#"
load 1m
  f{i="1"} 0.0000001
  f{i="2"} 1e21
  f{i="3"} -Inf

eval instant at 0m count_values("v", f)
  {v="0.0000001"} 1
  {v="1000000000000000000000"} 1
  {v="-Inf"} 1
"#,
    );
}

#[test]
fn trap_16_days_are_utc_days_also_before_the_epoch() {
    check(
        r#"
eval instant at 0m hour(vector(-1))
  {} 23

eval instant at 0m day_of_month(vector(-1))
  {} 31

eval instant at 0m year(vector(-1))
  {} 1969

eval instant at 0m days_in_month(vector(951782400))
  {} 29
"#,
    );
}

#[test]
fn trap_22_counts_are_floats_and_custom_bounds_are_kept() {
    check(
        r#"
load 1m
  n {{schema:-53 count:9007199254740993 sum:1 custom_values:[1] buckets:[9007199254740993]}}

eval instant at 0m histogram_count(n)
  {} 9007199254740992

eval instant at 0m n + n
  {} {{schema:-53 count:18014398509481984 sum:2 custom_values:[1] buckets:[18014398509481984]}}
"#,
    );
}
