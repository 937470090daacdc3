//! Parameters of a search, of either API version.
//!
//! Knows: names, units, defaults and bounds of the parameters. Must not know: how it is searched. Start at [`v1`].

use std::collections::BTreeMap;

use crate::backend::Query;
use crate::go;
use crate::trace_id::{self, TraceId};

use super::params::Params;
use super::refusal::Refusal;

const LIMIT_DEFAULT: u32 = 100;
/// How far back v1 looks when it is not told.
const LOOKBACK_NANOS: u64 = 2 * 24 * 3600 * 1_000_000_000;
const MICROSECOND: i128 = 1_000;

/// A search that can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search {
    pub(crate) query: Query,
    /// Traces asked for by id instead.
    pub(crate) ids: Vec<TraceId>,
    pub(crate) raw: bool,
    /// No span can meet the conditions: nothing needs to be asked.
    pub(crate) hopeless: bool,
}

/// The parameters of `GET /api/traces`: times in microseconds, durations as Go writes them.
///
/// # Errors
/// Jaeger's texts.
pub(crate) fn v1(params: &Params, limit_max: u32, now: u64) -> Result<Search, Refusal> {
    let micros = |value: Option<i64>| value.map(|v| i128::from(v) * MICROSECOND);
    let start = micros(params.int("start")?);
    let end = micros(params.int("end")?);
    let attributes = tags(params)?;
    let limit = match params.get("limit") {
        "" => LIMIT_DEFAULT,
        text => bounded(i64::from(go::parse_int32(text).map_err(Refusal::invalid)?), "limit", limit_max)?,
    };
    let duration = (params.duration("minDuration")?, params.duration("maxDuration")?);
    let read_id = |id| trace_id::parse(id).map_err(|e| format!("cannot parse traceID param: {e}"));
    let ids = params.all("traceID").map(read_id).collect::<Result<_, _>>().map_err(Refusal::invalid)?;
    let raw = params.bool("raw")?;
    if duration.0 != 0 && duration.1 != 0 && duration.1 < duration.0 {
        return Err(Refusal::invalid("'maxDuration' should be greater than 'minDuration'"));
    }
    let window = (
        start.unwrap_or_else(|| i128::from(now.saturating_sub(LOOKBACK_NANOS))),
        end.unwrap_or_else(|| i128::from(now)),
    );
    let (service, operation) = (params.get("service").to_owned(), params.get("operation").to_owned());
    let query = Query { service, operation, attributes, limit, ..Query::default() };
    Ok(Search { query, ids, raw, hopeless: false }.within(window).lasting(duration))
}

/// The parameters of `GET /api/v3/traces`: times in RFC 3339; snake_case names are old aliases.
///
/// # Errors
/// Jaeger's texts.
pub(crate) fn v3(params: &Params, limit_max: u32) -> Result<Search, Refusal> {
    let of = |camel, snake| params.first_of(&[camel, snake]);
    let min = of("query.startTimeMin", "query.start_time_min");
    let max = of("query.startTimeMax", "query.start_time_max");
    let attributes = match params.get("query.attributes") {
        "" => BTreeMap::new(),
        text => string_map(text).map_err(|e| malformed("query.attributes", &e))?,
    };
    if min.1.is_empty() || max.1.is_empty() {
        return Err(Refusal::invalid("query.startTimeMin and query.startTimeMax are required"));
    }
    let window = (time(min)?, time(max)?);
    if window.0 >= window.1 {
        return Err(Refusal::invalid("query.startTimeMin must be before query.startTimeMax"));
    }
    let limit = match params.first_of(&["query.searchDepth", "query.search_depth", "query.num_traces"]) {
        (_, "") => LIMIT_DEFAULT,
        (name, text) => {
            let depth = go::parse_int(text, "Atoi").map_err(|e| malformed(name, &e))?;
            bounded(if depth == 0 { i64::from(LIMIT_DEFAULT) } else { depth }, name, limit_max)?
        }
    };
    let duration = (
        duration(of("query.durationMin", "query.duration_min"))?,
        duration(of("query.durationMax", "query.duration_max"))?,
    );
    let raw = truth(of("query.rawTraces", "query.raw_traces"))?;
    let query = Query {
        service: of("query.serviceName", "query.service_name").1.to_owned(),
        operation: of("query.operationName", "query.operation_name").1.to_owned(),
        attributes: attributes.into_iter().collect(),
        limit,
        ..Query::default()
    };
    Ok(Search { query, ids: Vec::new(), raw, hopeless: false }.within(window).lasting(duration))
}

/// A time parameter of v3, given as (name, text).
///
/// # Errors
/// Jaeger's text.
pub(crate) fn time((name, text): (&str, &str)) -> Result<i128, Refusal> {
    go::parse_rfc3339(text).map_err(|e| malformed(name, &e))
}

/// A truth value of v3, given as (name, text).
///
/// # Errors
/// Jaeger's text.
pub(crate) fn truth((name, text): (&str, &str)) -> Result<bool, Refusal> {
    if text.is_empty() { Ok(false) } else { go::parse_bool(text).map_err(|e| malformed(name, &e)) }
}

fn duration((name, text): (&str, &str)) -> Result<i64, Refusal> {
    if text.is_empty() { Ok(0) } else { go::parse_duration(text).map_err(|e| malformed(name, &e)) }
}

/// v3's way to say that a parameter cannot be read.
pub(crate) fn malformed(name: &str, why: &str) -> Refusal {
    Refusal::invalid(format!("malformed parameter {name}: {why}"))
}

fn bounded(limit: i64, name: &str, max: u32) -> Result<u32, Refusal> {
    let refused = || Refusal::invalid(format!("'{name}' should be between 1 and {max}, received: {limit}"));
    u32::try_from(limit).ok().filter(|n| (1..=max).contains(n)).ok_or_else(refused)
}

impl Search {
    /// Spans that start between two times, both inclusive as in Jaeger.
    fn within(mut self, (from, to): (i128, i128)) -> Self {
        self.hopeless |= from > to || to < 0;
        self.query.start = (nanos(from), nanos(to).saturating_add(1));
        self
    }

    /// Spans that last between two durations, both inclusive, 0 for none. A repaired span lasts at least 1 ns.
    fn lasting(mut self, (min, max): (i64, i64)) -> Self {
        self.hopeless |= max < 0 || (min > max && max != 0);
        let min = u64::try_from(min).unwrap_or(0);
        self.query.duration = (if min <= 1 { 0 } else { min }, u64::try_from(max).unwrap_or(0));
        self
    }
}

/// A time or a duration as stores take it; what lies before the beginning is 0.
pub(crate) fn nanos(time: i128) -> u64 {
    u64::try_from(time.max(0)).unwrap_or(u64::MAX)
}

/// `tag=key:value` and `tags={"key":"value"}`, any number of each; of a repeated key the last counts.
///
/// # Errors
/// Jaeger's texts.
pub(crate) fn tags(params: &Params) -> Result<Vec<(String, String)>, Refusal> {
    let mut tags = BTreeMap::new();
    for tag in params.all("tag") {
        let (key, value) = tag.split_once(':').ok_or_else(|| {
            Refusal::invalid(format!("malformed 'tag' parameter, expecting key:value, received: {tag}"))
        })?;
        tags.insert(key.to_owned(), value.to_owned());
    }
    for json in params.all("tags") {
        let map = string_map(json).map_err(|e| {
            Refusal::invalid(format!("malformed 'tags' parameter, cannot unmarshal JSON: {e}"))
        })?;
        tags.extend(map);
    }
    Ok(tags.into_iter().collect())
}

/// A JSON object of texts, with the errors of Go's `json.Unmarshal`; `null` is empty, as a whole and as a value.
fn string_map(json: &str) -> Result<BTreeMap<String, String>, String> {
    use serde_json::Value;
    let kind = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let value: Value = serde_json::from_str(json).map_err(|e| broken_json(json, &e))?;
    match value {
        Value::Null => Ok(BTreeMap::new()),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| match value {
                Value::String(text) => Ok((key, text)),
                Value::Null => Ok((key, String::new())),
                other => Err(format!("json: cannot unmarshal {} into Go value of type string", kind(&other))),
            })
            .collect(),
        other => {
            Err(format!("json: cannot unmarshal {} into Go value of type map[string]string", kind(&other)))
        }
    }
}

/// Go's words for the two ways in which JSON is usually broken.
fn broken_json(json: &str, error: &serde_json::Error) -> String {
    match json.trim_start().chars().next() {
        _ if error.is_eof() => "unexpected end of JSON input".to_owned(),
        Some(c) if error.column() <= 1 => format!("invalid character '{c}' looking for beginning of value"),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000_000_000;

    fn read(query: &str) -> Result<Search, String> {
        v1(&Params::parse(Some(query)), 1500, NOW).map_err(|r| r.message().to_owned())
    }

    fn read3(query: &str) -> Result<Search, String> {
        v3(&Params::parse(Some(query)), 1500).map_err(|r| r.message().to_owned())
    }

    #[test]
    fn v1_has_defaults_for_everything() {
        let search = read("service=s").unwrap();
        assert_eq!((search.query.service.as_str(), search.query.limit, search.raw), ("s", 100, false));
        assert_eq!(search.query.start, (NOW - LOOKBACK_NANOS, NOW + 1));
        assert_eq!(search.query.duration, (0, 0));
        assert_eq!(read("service=s&limit=&start=&end=&minDuration&maxDuration").unwrap(), search);
    }

    #[test]
    fn v1_reads_every_parameter() {
        let search = read(
            "service=s&operation=o&start=1000&end=2000&minDuration=1ms&maxDuration=1.5s&limit=7&raw=true\
             &tag=a:b:c&tags=%7B%22a%22%3A%22d%22%2C%22n%22%3Anull%7D&tags=%7B%22e%22%3A%22%22%7D",
        )
        .unwrap();
        let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        assert_eq!(search.query.attributes, [pair("a", "d"), pair("e", ""), pair("n", "")]);
        assert_eq!(
            (search.query.start, search.query.duration),
            ((1_000_000, 2_000_001), (1_000_000, 1_500_000_000))
        );
        assert_eq!((search.query.operation.as_str(), search.query.limit, search.raw), ("o", 7, true));
        assert_eq!(read("traceID=1&traceID=2").unwrap().ids.len(), 2);
    }

    #[test]
    fn impossible_conditions_need_no_search() {
        let check =
            |query: &str, hopeless: bool| assert_eq!(read(query).unwrap().hopeless, hopeless, "{query}");
        check("start=5&end=5", false);
        check("start=6&end=5", true);
        check("end=-1", true);
        check("start=-5", false);
        check("minDuration=-1s", false);
        check("maxDuration=-1s", true);
        assert_eq!(read("minDuration=1ns").unwrap().query.duration, (0, 0));
        assert_eq!(read("maxDuration=1ns").unwrap().query.duration, (0, 1));
    }

    #[test]
    fn v1_refuses_with_jaegers_words() {
        let check = |query: &str, expect: &str| assert_eq!(read(query).unwrap_err(), expect, "{query}");
        check("limit=x", r#"strconv.ParseInt: parsing "x": invalid syntax"#);
        check("limit=0", "'limit' should be between 1 and 1500, received: 0");
        check("limit=1501", "'limit' should be between 1 and 1500, received: 1501");
        check("minDuration=2s&maxDuration=1s", "'maxDuration' should be greater than 'minDuration'");
        check("tag=x", "malformed 'tag' parameter, expecting key:value, received: x");
        check("tag=", "malformed 'tag' parameter, expecting key:value, received: ");
        let tags = "malformed 'tags' parameter, cannot unmarshal JSON:";
        check("tags=%7B", &format!("{tags} unexpected end of JSON input"));
        check("tags=", &format!("{tags} unexpected end of JSON input"));
        check("tags=x", &format!("{tags} invalid character 'x' looking for beginning of value"));
        check(
            "tags=[]",
            &format!("{tags} json: cannot unmarshal array into Go value of type map[string]string"),
        );
        check(
            "tags={%22a%22:1}",
            &format!("{tags} json: cannot unmarshal number into Go value of type string"),
        );
        check("traceID=x", r#"cannot parse traceID param: strconv.ParseUint: parsing "x": invalid syntax"#);
        check(
            "start=99999999999999999999",
            r#"unable to parse param 'start': strconv.ParseInt: parsing "99999999999999999999": value out of range"#,
        );
    }

    #[test]
    fn v3_takes_both_spellings() {
        let window = "query.startTimeMin=1970-01-01T00:00:01Z&query.start_time_max=1970-01-01T00:00:02Z";
        let search =
            read3(&format!("{window}&query.service_name=s&query.num_traces=3&query.rawTraces=1")).unwrap();
        assert_eq!((search.query.service.as_str(), search.query.limit, search.raw), ("s", 3, true));
        assert_eq!(search.query.start, (1_000_000_000, 2_000_000_001));
        assert_eq!(read3(&format!("{window}&query.searchDepth=0")).unwrap().query.limit, 100);
        assert!(read3(&format!("{window}&query.durationMin=2s&query.durationMax=1s")).unwrap().hopeless);
    }

    #[test]
    fn v3_refuses_with_jaegers_words() {
        let check = |query: &str, expect: &str| assert_eq!(read3(query).unwrap_err(), expect, "{query}");
        let window = "query.startTimeMin=1970-01-01T00:00:01Z&query.startTimeMax=1970-01-01T00:00:02Z";
        check("query.startTimeMin=x", "query.startTimeMin and query.startTimeMax are required");
        check(
            "query.startTimeMin=1970-01-01T00:00:02Z&query.startTimeMax=1970-01-01T00:00:01Z",
            "query.startTimeMin must be before query.startTimeMax",
        );
        check(
            &format!("{window}&query.searchDepth=x"),
            r#"malformed parameter query.searchDepth: strconv.Atoi: parsing "x": invalid syntax"#,
        );
        check(
            &format!("{window}&query.duration_min=5"),
            r#"malformed parameter query.duration_min: time: missing unit in duration "5""#,
        );
        check(
            &format!("{window}&query.raw_traces=x"),
            r#"malformed parameter query.raw_traces: strconv.ParseBool: parsing "x": invalid syntax"#,
        );
    }
}
