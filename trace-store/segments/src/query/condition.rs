//! What a search asks of one span, and whether a span is that.
//!
//! Knows: every condition and its meaning, once, for heads and segments alike. Must not know: how either holds spans;
//! they show a span as [`Facts`] and look attributes up themselves.

use runtime_engine::{Error, Result};
use shared_proto::otlp::view::{Attributes, EventView, KeyValueView, LinkView, SpanView};

use super::SearchQuery;
use super::text::Wanted;
use crate::Parsed;
use crate::names::{STATUS_ERROR, is_service_key, kind_of, operation_of, status_of, truth_of};
use crate::proto::{self, span_field};
use crate::tables::{Operation, Resource, Scope, with_resource, with_scope};

/// A query whose words are understood.
#[derive(Debug)]
pub(crate) struct Conditions {
    service: Option<Box<str>>,
    operation: Option<Box<str>>,
    pub(crate) start_min: u64,
    /// Exclusive.
    pub(crate) start_max: u64,
    pub(crate) duration_min: u64,
    pub(crate) duration_max: u64,
    kinds: Vec<i32>,
    statuses: Vec<Status>,
    scopes: Vec<ScopeCondition>,
    resources: Vec<(Box<str>, Wanted)>,
    /// Attributes of the span, its resource, its scope, an event or a link.
    pub(crate) anywhere: Vec<(Box<str>, Wanted)>,
}

#[derive(Debug)]
enum Status {
    Is(i32),
    IsNot(i32),
    Never,
}

#[derive(Debug)]
enum ScopeCondition {
    Name(Box<str>),
    Version(Box<str>),
}

/// What a span is, without its attributes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) start: u64,
    /// 0 where the end lies before the start.
    pub(crate) duration: u64,
    pub(crate) name: &'a str,
    pub(crate) kind: i32,
    pub(crate) status: i32,
}

impl Conditions {
    pub(crate) fn new(query: &SearchQuery) -> Self {
        let open = |max: u64| if max == 0 { u64::MAX } else { max };
        let mut conditions = Self {
            service: query.service.as_deref().map(Into::into),
            operation: query.operation.as_deref().map(Into::into),
            start_min: query.start_min,
            start_max: query.start_max,
            duration_min: query.duration_min,
            duration_max: open(query.duration_max),
            kinds: Vec::new(),
            statuses: Vec::new(),
            scopes: Vec::new(),
            resources: Vec::new(),
            anywhere: Vec::new(),
        };
        for (key, text) in &query.attributes {
            match key.as_str() {
                "error" => conditions.statuses.push(match truth_of(text) {
                    Some(true) => Status::Is(STATUS_ERROR),
                    Some(false) => Status::IsNot(STATUS_ERROR),
                    None => Status::Never,
                }),
                "span.status" => conditions.statuses.push(Status::Is(status_of(text))),
                "span.kind" => conditions.kinds.push(kind_of(text)),
                "scope.name" => conditions.scopes.push(ScopeCondition::Name(text.as_str().into())),
                "scope.version" => conditions.scopes.push(ScopeCondition::Version(text.as_str().into())),
                _ => match key.strip_prefix("resource.") {
                    Some(key) => conditions.resources.push((key.into(), Wanted::new(text))),
                    None => conditions.anywhere.push((key.as_str().into(), Wanted::new(text))),
                },
            }
        }
        conditions
    }

    /// Whether a span can match that starts in a range, bounds included.
    pub(crate) fn may_start(&self, first: u64, last: u64) -> bool {
        last >= self.start_min && (self.start_max == 0 || first < self.start_max)
    }

    /// Whether a span of this operation can match.
    pub(crate) fn may_be(&self, operation: &Operation) -> bool {
        self.service.as_deref().is_none_or(|service| *service == *operation.service)
            && self.is_named(&operation.name, operation.kind)
    }

    fn is_named(&self, name: &str, kind: i32) -> bool {
        self.operation.as_deref().is_none_or(|operation| operation == operation_of(name))
            && self.kinds.iter().all(|wanted| *wanted == kind)
    }

    /// Whether names, kinds or a status are asked for: (name, kind, status).
    pub(crate) fn asks(&self) -> (bool, bool, bool) {
        (self.operation.is_some(), !self.kinds.is_empty(), !self.statuses.is_empty())
    }

    /// Whether everything holds but what resource, scope and attributes say.
    fn hold_for(&self, facts: &Facts<'_>) -> bool {
        self.may_start(facts.start, facts.start)
            && (self.duration_min..=self.duration_max).contains(&facts.duration)
            && self.is_named(facts.name, facts.kind)
            && self.statuses.iter().all(|status| match status {
                Status::Is(code) => facts.status == *code,
                Status::IsNot(code) => facts.status != *code,
                Status::Never => false,
            })
    }

    /// What the conditions say of a resource.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it cannot be read.
    pub(crate) fn judge_resource(&self, resource: &Resource) -> Result<Verdict> {
        let mut verdict = Verdict { may_match: false, has: Vec::new() };
        if self.service.as_deref().is_some_and(|service| *service != *resource.service) {
            return Ok(verdict);
        }
        let of_service = |key: &str, wanted: &Wanted| {
            is_service_key(key)
                .then(|| wanted.is(&shared_proto::otlp::view::AnyValueView::Str(&resource.service)))
        };
        let mut looked = false;
        let mut look = |attributes: Option<Attributes<'_>>| -> Parsed<()> {
            let has = |(key, wanted): &(Box<str>, Wanted)| match of_service(key, wanted) {
                Some(answer) => Ok(answer),
                None => attributes.map_or(Ok(false), |attributes| any(attributes, key, wanted)),
            };
            verdict.may_match = true;
            for condition in &self.resources {
                verdict.may_match &= has(condition)?;
            }
            verdict.has = self.anywhere.iter().map(has).collect::<Parsed<_>>()?;
            Ok(())
        };
        with_resource(&resource.otlp, &mut |view| {
            looked = true;
            look(view.resource()?.map(|r| r.attributes()))
        })?;
        if !looked {
            look(None).map_err(|e| Error::corrupt("resource", e.to_string()))?;
        }
        Ok(verdict)
    }

    /// What the conditions say of a scope.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it cannot be read.
    pub(crate) fn judge_scope(&self, scope: &Scope) -> Result<Verdict> {
        let mut verdict = Verdict { may_match: true, has: Vec::new() };
        with_scope(&scope.otlp, &mut |view| {
            let scope = view.scope()?;
            let (name, version) = scope.map_or(("", ""), |s| (s.name, s.version));
            verdict.may_match = self.scopes.iter().all(|condition| match condition {
                ScopeCondition::Name(wanted) => **wanted == *name,
                ScopeCondition::Version(wanted) => **wanted == *version,
            });
            let attributes = scope.map(|s| s.attributes());
            let has = |(key, wanted): &(Box<str>, Wanted)| {
                attributes.map_or(Ok(false), |attributes| any(attributes, key, wanted))
            };
            verdict.has = self.anywhere.iter().map(has).collect::<Parsed<_>>()?;
            Ok(())
        })?;
        Ok(verdict)
    }

    /// Whether a span matches as far as facts, resource and scope tell; attributes asked for come on top.
    pub(crate) fn facts_hold(&self, facts: &Facts<'_>, resource: &Verdict, scope: &Verdict) -> bool {
        resource.may_match && scope.may_match && self.hold_for(facts)
    }

    /// Whether each attribute asked for is in the resource, in the scope, or in the span.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the span cannot be read.
    pub(crate) fn span_holds(
        &self,
        span: &SpanView<'_>,
        resource: &Verdict,
        scope: &Verdict,
    ) -> Result<bool> {
        let held = self.attributes_hold(resource, scope, |_, key, wanted| span_has(span, key, wanted));
        held.map_err(|e| Error::corrupt("span", e.to_string()))
    }

    /// Whether each attribute asked for is in the resource, in the scope, or where `has` looks.
    ///
    /// # Errors
    /// Those of `has`.
    pub(crate) fn attributes_hold<E>(
        &self,
        resource: &Verdict,
        scope: &Verdict,
        mut has: impl FnMut(usize, &str, &Wanted) -> std::result::Result<bool, E>,
    ) -> std::result::Result<bool, E> {
        for (i, (key, wanted)) in self.anywhere.iter().enumerate() {
            if !resource.has(i) && !scope.has(i) && !has(i, key, wanted)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What the conditions say of a resource or a scope: the same for all its spans.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    /// Spans of it can match.
    pub(crate) may_match: bool,
    /// Which of [`Conditions::anywhere`] it fulfils.
    has: Vec<bool>,
}

impl Verdict {
    /// Whether it fulfils an attribute condition.
    pub(crate) fn has(&self, condition: usize) -> bool {
        self.has.get(condition).copied().unwrap_or(false)
    }
}

fn any(attributes: Attributes<'_>, key: &str, wanted: &Wanted) -> Parsed<bool> {
    for attribute in attributes {
        let attribute = attribute?;
        if attribute.key == key && wanted.is(&attribute.value) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn span_has(span: &SpanView<'_>, key: &str, wanted: &Wanted) -> Parsed<bool> {
    for (field, body) in proto::messages(span.bytes()) {
        let found = match field {
            span_field::ATTRIBUTE => {
                let attribute = KeyValueView::parse(body)?;
                attribute.key == key && wanted.is(&attribute.value)
            }
            span_field::EVENT => any(EventView::parse(body)?.attributes(), key, wanted)?,
            span_field::LINK => any(LinkView::parse(body)?.attributes(), key, wanted)?,
            _ => false,
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}
