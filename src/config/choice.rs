//! Which entries of the chains remain: those at endpoints that are switched on, and of the organisation's only those at
//! endpoints that this operator names. A remote configuration chooses among them, it adds none (TRUST 5).

use super::Config;
use super::environment::ENVIRONMENT_ENDPOINT;
use super::settings::{Origin, Setting, Settings};
use std::collections::BTreeSet;

impl Config {
    /// Takes out what may not be asked, and says so. Where no model is left, no endpoint is either: the rules run alone.
    pub(super) fn choose(mut self, settings: &Settings, notes: &mut Vec<String>) -> Self {
        let single = if self.endpoints.len() == 1 { self.endpoints.keys().next().cloned() } else { None };
        let implied = if self.endpoints.contains_key(ENVIRONMENT_ENDPOINT) { Some(ENVIRONMENT_ENDPOINT.to_owned()) } else { single };
        let mut taken = Vec::new();
        let known = models(&self);
        for (tier, chain) in &mut self.models {
            let path = ["models".to_owned(), tier.name().to_owned()];
            let remote = matches!(settings.get(path.as_slice()).map(Setting::origin), Some(Origin::Remote(_)));
            chain.retain(|entry| {
                let at = entry.endpoint.as_ref().or(implied.as_ref());
                let why = match at {
                    Some(at) if self.endpoints_off.contains(at) => format!("its endpoint `{at}` is switched off"),
                    Some(at) if remote && !self.endpoints.contains_key(at) => {
                        format!("the organisation names the endpoint `{at}`, which is not configured here")
                    }
                    _ => return true,
                };
                taken.push(format!("The model {} is not used: {why}.", entry.model));
                false
            });
        }
        let left = models(&self);
        for (id, own) in &mut self.reviewers {
            if own.model.as_ref().is_some_and(|model| known.contains(model) && !left.contains(model)) {
                taken.push(format!("The reviewer {id} has the models of its tier, since its own is not used."));
                own.model = None;
            }
        }
        self.endpoints.retain(|name, _| !self.endpoints_off.contains(name));
        taken.dedup();
        if !taken.is_empty() && self.models.values().all(Vec::is_empty) {
            self.endpoints.clear();
            taken.push("No model is left to ask: the rules run alone.".to_owned());
        }
        notes.append(&mut taken);
        self
    }
}

/// All models that a chain names.
fn models(config: &Config) -> BTreeSet<String> {
    config.models.values().flatten().map(|entry| entry.model.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Layer, resolve};
    use std::path::Path;

    /// What is left of the models, and what is told.
    fn left(remote: &str, operator: &str) -> String {
        let (remote, problems) = Layer::remote(remote);
        assert_eq!(problems, []);
        let (operator, problems) = Layer::operator(operator, Path::new("/c.yaml"));
        assert_eq!(problems, []);
        let resolved = resolve(vec![operator, remote], &|_| None).expect("valid");
        let models: Vec<&str> = resolved.config.models.values().flatten().map(|entry| entry.model.as_str()).collect();
        format!("{} endpoints, {}. {}", resolved.config.endpoints.len(), models.join(" "), resolved.notes.join(" "))
    }

    #[test]
    fn a_remote_configuration_chooses_among_the_operators_endpoints() {
        let two = "endpoints: {default: {url: 'https://a'}, backup: {url: 'https://b'}}\n";
        let table = [
            left("models: {standard: [{model: m, endpoint: backup}]}", two),
            left("models: {standard: [{model: m, endpoint: evil}, {model: n}]}", two),
            left("models: {standard: [{model: m, endpoint: evil}]}", two),
            left("endpoints_off: [default]\nmodels: {standard: [{model: m}, {model: n, endpoint: backup}]}", two),
            left("endpoints_off: [default]", &format!("{two}models: {{top: [{{model: t}}]}}")),
            left(
                "endpoints_off: [backup]\nreviewers: {docs: {model: n}, quality: {model: m}}\nmodels: {standard: [{model: m}, {model: n, endpoint: backup}]}",
                two,
            ),
            left("models: {standard: [{model: m}]}", ""),
            left("", two),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        2 endpoints, m. 
        2 endpoints, n. The model m is not used: the organisation names the endpoint `evil`, which is not configured here.
        0 endpoints, . The model m is not used: the organisation names the endpoint `evil`, which is not configured here. No model is left to ask: the rules run alone.
        1 endpoints, n. The model m is not used: its endpoint `default` is switched off.
        0 endpoints, . The model t is not used: its endpoint `default` is switched off. No model is left to ask: the rules run alone.
        1 endpoints, m. The model n is not used: its endpoint `backup` is switched off. The reviewer docs has the models of its tier, since its own is not used.
        0 endpoints, m. 
        2 endpoints, . 
        ");
    }
}
