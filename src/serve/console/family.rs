//! Lineage as a drawn graph: who returned as whom, parents left, returns right.
//!
//! Accounts stand in columns by their distance from the one asked about; within a column by time. An edge ends in a
//! straight piece before its child, on which its provenance is written, so that no two labels meet.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use jiff::Timestamp;

use crate::account::AccountId;
use crate::serve::console::form::segment;
use crate::serve::console::person::label;
use crate::serve::console::values::{Edge, Family};
use crate::serve::console::when::When;

/// Accounts drawn; a family that is larger is drawn around the one asked about.
const NODES_MAX: usize = 40;
const NODE_WIDTH: i64 = 176;
const NODE_HEIGHT: i64 = 46;
/// Between columns: room for what is written on an edge.
const COLUMN_GAP: i64 = 168;
const ROW_GAP: i64 = 22;
const MARGIN: i64 = 6;
/// Characters of a name in its box.
const LABEL_CHARS: usize = 21;

/// An account in the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// Left edge.
    pub x: i64,
    /// Upper edge.
    pub y: i64,
    /// Its page.
    pub href: String,
    /// What it is called, cut to its box.
    pub label: String,
    /// What it is called.
    pub full: String,
    /// Platform and kind.
    pub under: String,
    /// True for the account asked about.
    pub is_focus: bool,
}

/// A return in the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arc {
    /// SVG path from parent to child.
    pub path: String,
    /// Where its words stand.
    pub x: i64,
    /// Where its words stand.
    pub y: i64,
    /// Who and when.
    pub over: String,
    /// Score and hops.
    pub under: String,
}

/// A return in words, for those who do not see the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// The entry.
    pub parent: String,
    /// Its page.
    pub parent_href: String,
    /// Its return.
    pub child: String,
    /// Its page.
    pub child_href: String,
    /// The decision judged; empty where it is kept no more.
    pub decision_href: String,
    /// Who judged.
    pub who: String,
    /// When.
    pub at: When,
    /// In bits.
    pub score: String,
    /// From the first entry of the chain.
    pub hops: u32,
}

/// The drawing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Graph {
    /// In units of the drawing.
    pub width: i64,
    /// In units of the drawing.
    pub height: i64,
    /// The accounts.
    pub nodes: Vec<Node>,
    /// The returns.
    pub arcs: Vec<Arc>,
    /// The returns in words, the earliest first.
    pub steps: Vec<Step>,
    /// Accounts that are not drawn.
    pub left_out: usize,
}

impl Graph {
    /// Draws `family` around `focus`. O(edges log edges).
    pub(crate) fn of(family: &Family, focus: &AccountId, now: Timestamp) -> Self {
        let mut edges: Vec<&Edge> = family.edges.iter().collect();
        edges.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.child.cmp(&b.child)));
        let columns = columns(&edges, focus);
        let all: HashSet<&AccountId> = edges
            .iter()
            .flat_map(|edge| [&edge.parent, &edge.child])
            .collect();
        let names = Names::of(family);
        let places = places(&columns, &edges);
        let mut graph = Self {
            left_out: all.len().saturating_sub(columns.len()),
            steps: edges.iter().map(|edge| names.step(edge, now)).collect(),
            ..Self::default()
        };
        for (id, (x, y)) in &places {
            graph.width = graph.width.max(x + NODE_WIDTH + MARGIN);
            graph.height = graph.height.max(y + NODE_HEIGHT + MARGIN);
            graph.nodes.push(names.node(id, *x, *y, *id == focus));
        }
        graph.nodes.sort_by_key(|node| (node.x, node.y));
        let drawn = edges.iter().filter_map(|edge| {
            let (from, to) = (places.get(&edge.parent)?, places.get(&edge.child)?);
            Some(arc(edge, *from, *to))
        });
        graph.arcs = drawn.collect();
        graph
    }
}

/// How many returns each account lies after the focus; before it is negative. The nearest first, at most [`NODES_MAX`].
fn columns<'a>(edges: &[&'a Edge], focus: &'a AccountId) -> HashMap<&'a AccountId, i64> {
    let mut near: HashMap<&AccountId, Vec<(&AccountId, i64)>> = HashMap::new();
    for edge in edges {
        near.entry(&edge.parent).or_default().push((&edge.child, 1));
        near.entry(&edge.child)
            .or_default()
            .push((&edge.parent, -1));
    }
    let mut columns = HashMap::from([(focus, 0)]);
    let mut waiting = VecDeque::from([(focus, 0)]);
    while let Some((id, column)) = waiting.pop_front() {
        for (other, step) in near.get(id).into_iter().flatten() {
            if columns.len() < NODES_MAX && !columns.contains_key(other) {
                columns.insert(other, column + step);
                waiting.push_back((other, column + step));
            }
        }
    }
    columns
}

/// The upper left corner of each account's box; every column is centred.
fn places<'a>(
    columns: &HashMap<&'a AccountId, i64>,
    edges: &[&'a Edge],
) -> HashMap<&'a AccountId, (i64, i64)> {
    let mut since: HashMap<&AccountId, Timestamp> = HashMap::new();
    for edge in edges {
        since.entry(&edge.child).or_insert(edge.at);
    }
    let mut stacks: BTreeMap<i64, Vec<&AccountId>> = BTreeMap::new();
    for (id, column) in columns {
        stacks.entry(*column).or_default().push(id);
    }
    let tallest = stacks.values().map(Vec::len).max().unwrap_or(0);
    let step = NODE_HEIGHT + ROW_GAP;
    let mut places = HashMap::new();
    for (at, stack) in stacks.values_mut().enumerate() {
        stack.sort_by_key(|id| (since.get(*id).copied(), id.as_str().to_owned()));
        let spare = (tallest - stack.len()) as i64 * step / 2;
        for (row, id) in stack.iter().enumerate() {
            let x = MARGIN + at as i64 * (NODE_WIDTH + COLUMN_GAP);
            places.insert(*id, (x, MARGIN + spare + row as i64 * step));
        }
    }
    places
}

fn arc(edge: &Edge, from: (i64, i64), to: (i64, i64)) -> Arc {
    let (x1, y1) = (from.0 + NODE_WIDTH, from.1 + NODE_HEIGHT / 2);
    let (x2, y2) = (to.0, to.1 + NODE_HEIGHT / 2);
    let bend = x1 + 36;
    Arc {
        path: format!(
            "M{x1} {y1}C{} {y1} {} {y2} {bend} {y2}H{}",
            x1 + 22,
            x1 + 14,
            x2 - 7
        ),
        x: (bend + x2) / 2,
        y: y2,
        over: format!("{} · {}", cut(&edge.who, 12), edge.at.strftime("%-d %b %Y")),
        under: format!("{:.1} bits · {}", edge.score, ordinal(edge.hops)),
    }
}

/// `1st return`, `2nd return`, ...
fn ordinal(hops: u32) -> String {
    let end = match (hops % 10, hops % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{hops}{end} return")
}

struct Names {
    known: HashMap<AccountId, (String, String)>,
}

impl Names {
    fn of(family: &Family) -> Self {
        let known = family.accounts.iter().map(|account| {
            let under = [account.platform.as_str(), account.kind.as_str()].join(" ");
            (
                account.id().clone(),
                (label(account), under.trim().to_owned()),
            )
        });
        Self {
            known: known.collect(),
        }
    }

    fn label(&self, id: &AccountId) -> String {
        self.known
            .get(id)
            .map_or_else(|| id.to_string(), |(label, _)| label.clone())
    }

    fn node(&self, id: &AccountId, x: i64, y: i64, is_focus: bool) -> Node {
        let full = self.label(id);
        Node {
            x,
            y,
            href: href(id),
            label: cut(&full, LABEL_CHARS),
            full,
            under: self
                .known
                .get(id)
                .map_or("no longer known".into(), |(_, under)| under.clone()),
            is_focus,
        }
    }

    fn step(&self, edge: &Edge, now: Timestamp) -> Step {
        let decision = edge.decision.as_deref();
        Step {
            parent: self.label(&edge.parent),
            parent_href: href(&edge.parent),
            child: self.label(&edge.child),
            child_href: href(&edge.child),
            decision_href: decision
                .map_or(String::new(), |id| format!("/decisions/{}", segment(id))),
            who: edge.who.clone(),
            at: When::of(edge.at, now),
            score: format!("{:.1}", edge.score),
            hops: edge.hops,
        }
    }
}

fn href(id: &AccountId) -> String {
    format!("/entries/{}", segment(id.as_str()))
}

fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some(_) => text.chars().take(chars - 1).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(parent: &str, child: &str, hops: u32) -> Edge {
        Edge {
            parent: AccountId::new(parent).unwrap(),
            child: AccountId::new(child).unwrap(),
            decision: None,
            who: "ada".into(),
            at: Timestamp::UNIX_EPOCH,
            hops,
            score: 12.0,
        }
    }

    #[test]
    fn parents_stand_left_and_returns_right() {
        let family = Family {
            edges: vec![edge("a", "b", 1), edge("b", "c", 2), edge("b", "d", 2)],
            accounts: Vec::new(),
        };
        let focus = AccountId::new("b").unwrap();
        let graph = Graph::of(&family, &focus, Timestamp::UNIX_EPOCH);
        let order: Vec<&str> = graph.nodes.iter().map(|node| node.full.as_str()).collect();
        assert_eq!(order, ["a", "b", "c", "d"]);
        let xs: Vec<i64> = graph.nodes.iter().map(|node| node.x).collect();
        assert!(xs[0] < xs[1] && xs[1] < xs[2] && xs[2] == xs[3]);
        assert_eq!((graph.arcs.len(), graph.left_out), (3, 0));
        assert!(graph.nodes[1].is_focus);
    }

    #[test]
    fn a_large_family_is_cut_around_the_focus() {
        let edges = (0..200).map(|n| edge("a", &format!("b{n}"), 1)).collect();
        let family = Family {
            edges,
            accounts: Vec::new(),
        };
        let graph = Graph::of(
            &family,
            &AccountId::new("a").unwrap(),
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(
            (graph.nodes.len(), graph.left_out, graph.steps.len()),
            (NODES_MAX, 161, 200)
        );
    }
}
