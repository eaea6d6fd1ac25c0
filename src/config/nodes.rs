//! The agent's nodes, and in which order they are tried: `agent.loadBalancing`.

use super::section::Section;
use super::service::{Defaults, Service};
use crate::error::Error;

/// Where the agent is. At least one node.
#[derive(Debug, Clone)]
pub(crate) struct Nodes {
    pub(crate) services: Vec<Service>,
    pub(crate) order: NodeOrder,
}

/// Which node comes next when one fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeOrder {
    /// The first to begin with, then the next in the list.
    RoundRobin,
    /// Any.
    Random,
    /// Whichever the first, which stands for a load balancer, names when it is asked.
    External,
}

impl Nodes {
    pub(super) fn read<'a>(defaults: &Defaults<'_, 'a>, agent: &Section<'a>) -> Result<Nodes, Error> {
        let balancing = agent.section("loadBalancing")?;
        // A queue of Datafeed 2 is the same at every node, so a node is kept until it fails; a feed of Datafeed 1 is at one
        // node only. So there is nothing to choose here, whatever this says.
        balancing.boolean("stickiness")?;
        let order = match balancing.filled("mode")?.as_deref() {
            None | Some("roundRobin") => NodeOrder::RoundRobin,
            Some("random") => NodeOrder::Random,
            Some("external") => NodeOrder::External,
            Some(_) => {
                let field = balancing.path("mode");
                let message = format!("{field} must be \"roundRobin\", \"random\" or \"external\"");
                return Err(Error::config(field, message));
            }
        };
        let mut services = Vec::new();
        for node in balancing.list("nodes")? {
            if node.filled("host")?.is_none() {
                let field = node.path("host");
                let message = format!("{field} is missing: the host name or IP address of the agent node");
                return Err(Error::config(field, message));
            }
            services.push(defaults.service(&[&node, agent])?);
        }
        if services.is_empty() {
            services.push(defaults.service(&[agent])?);
        }
        Ok(Nodes { services, order })
    }
}
