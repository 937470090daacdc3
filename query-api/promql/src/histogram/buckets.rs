//! One side of a histogram: counts by index.

/// A run of neighbouring buckets, as the exposition formats and storage write them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Index of the first bucket, or its distance from the bucket after the span before.
    pub offset: i32,
    /// How many buckets.
    pub length: u32,
}

/// A bucket with its bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Lower bound.
    pub lower: f64,
    /// Upper bound.
    pub upper: f64,
    /// Whether the lower bound belongs to it.
    pub lower_inclusive: bool,
    /// Whether the upper bound belongs to it.
    pub upper_inclusive: bool,
    /// Observations.
    pub count: f64,
    /// Index within the schema; 0 for the zero bucket.
    pub index: i32,
}

/// Counts by index, sorted, each index once; a bucket may be there and be empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Buckets(Vec<(i32, f64)>);

impl Buckets {
    /// Reads spans and their counts; counts without a span, and indices beyond 32 bits, are left out.
    #[must_use]
    pub fn from_spans(spans: &[Span], counts: &[f64]) -> Self {
        let mut counts = counts.iter();
        let mut next = 0i64;
        let mut out = Vec::with_capacity(counts.len());
        for span in spans {
            next += i64::from(span.offset);
            // a span longer than its counts is cut: lengths come from outside
            for count in counts.by_ref().take(span.length as usize) {
                if let Ok(index) = i32::try_from(next) {
                    out.push((index, *count));
                }
                next += 1;
            }
        }
        // negative offsets between spans are malformed; sorted they do no harm
        out.sort_by_key(|(index, _)| *index);
        Self(out)
    }

    /// As few spans as the buckets allow.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        let mut end = 0i32;
        for (index, _) in &self.0 {
            match spans.last_mut() {
                Some(last) if *index == end => last.length += 1,
                Some(_) => spans.push(Span { offset: index.wrapping_sub(end), length: 1 }),
                None => spans.push(Span { offset: *index, length: 1 }),
            }
            end = index.wrapping_add(1);
        }
        spans
    }

    /// The counts, in order of their indices.
    pub fn counts(&self) -> impl Iterator<Item = f64> {
        self.0.iter().map(|(_, count)| *count)
    }

    /// Indices and counts, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (i32, f64)> + ExactSizeIterator {
        self.0.iter().copied()
    }

    /// How many buckets there are, empty ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The count of a bucket, if it is there.
    #[must_use]
    pub fn get(&self, index: i32) -> Option<f64> {
        let at = self.0.binary_search_by_key(&index, |(i, _)| *i).ok()?;
        self.0.get(at).map(|(_, count)| *count)
    }

    /// Changes every count.
    pub fn map(&mut self, f: impl Fn(f64) -> f64) {
        self.0.iter_mut().for_each(|(_, count)| *count = f(*count));
    }

    /// Changes counts one by one; those for which `f` gives nothing leave.
    pub fn filter_map(&mut self, mut f: impl FnMut(i32, f64) -> Option<f64>) {
        self.0.retain_mut(|(index, count)| match f(*index, *count) {
            Some(new) => {
                *count = new;
                true
            }
            None => false,
        });
    }

    /// Drops empty buckets.
    pub fn compact(&mut self) {
        self.0.retain(|(_, count)| *count != 0.0);
    }

    /// Joins buckets until the schema is `shift` steps lower.
    pub(super) fn reduce(&mut self, shift: i32) {
        let shift = shift.clamp(0, 31);
        self.0.iter_mut().for_each(|(index, _)| *index = (index.wrapping_sub(1) >> shift).wrapping_add(1));
        self.0.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1 += later.1;
            }
            same
        });
    }

    /// The buckets of both, `f` of the counts where both have one, the other's through `alone` where only it does.
    pub(super) fn merged(&self, other: &Self, mut both: impl FnMut(i32, f64, f64) -> f64) -> Self {
        let mut out = Vec::with_capacity(self.len().max(other.len()));
        let (mut ours, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        loop {
            let (ours_at, theirs_at) = (ours.peek().map(|b| b.0), theirs.peek().map(|b| b.0));
            let index = match (ours_at, theirs_at) {
                (None, None) => return Self(out),
                (Some(a), None) => a,
                (None, Some(b)) => b,
                (Some(a), Some(b)) => a.min(b),
            };
            let ours = ours.next_if(|b| b.0 == index).map(|b| b.1);
            let theirs = theirs.next_if(|b| b.0 == index).map(|b| b.1);
            out.push((
                index,
                match (ours, theirs) {
                    (Some(a), None) => a,
                    (a, b) => both(index, a.unwrap_or(0.0), b.unwrap_or(0.0)),
                },
            ));
        }
    }
}

impl FromIterator<(i32, f64)> for Buckets {
    fn from_iter<I: IntoIterator<Item = (i32, f64)>>(buckets: I) -> Self {
        let mut list: Vec<_> = buckets.into_iter().collect();
        list.sort_by_key(|(index, _)| *index);
        list.dedup_by_key(|(index, _)| *index);
        Self(list)
    }
}
