//! The same in schema.org's words, as JSON-LD.

use crate::{api::pages::Book, components::crumbs::Crumb};
use domain::order::DeliveryDays;
use serde_json::{Value, json};
use store::config::StoreConfig;

pub struct Shop<'a> {
    pub config: &'a StoreConfig,
}

impl Shop<'_> {
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.config.base_url)
    }

    pub fn organization(&self) -> Value {
        json!({
            "@type": "Organization", "@id": self.url("/#shop"), "name": super::NAME, "url": self.url("/"),
            "logo": self.url("/favicon.svg"),
        })
    }

    pub fn website(&self) -> Value {
        json!({
            "@type": "WebSite", "name": super::NAME, "url": self.url("/"), "inLanguage": "en-IN",
            "publisher": { "@id": self.url("/#shop") },
            "potentialAction": {
                "@type": "SearchAction",
                "target": { "@type": "EntryPoint", "urlTemplate": self.url("/books?q={search_term_string}") },
                "query-input": "required name=search_term_string",
            },
        })
    }

    /// The way to a page, which is its last step.
    pub fn crumbs(&self, crumbs: &[Crumb], title: &str, path: &str) -> Value {
        let steps = crumbs.iter().map(|crumb| (crumb.name.as_str(), crumb.href.as_str())).chain([(title, path)]);
        let steps = steps.zip(1..).map(|((name, path), position)| {
            json!({ "@type": "ListItem", "position": position, "name": name, "item": self.url(path) })
        });
        json!({ "@type": "BreadcrumbList", "itemListElement": steps.collect::<Vec<_>>() })
    }

    pub fn book(&self, Book { card, more, .. }: &Book, path: &str) -> Value {
        let authors =
            more.by.iter().map(|(name, href)| json!({ "@type": "Person", "name": name, "url": self.url(href) }));
        let mut book = json!({
            "@type": ["Product", "Book"], "@id": self.url(path), "url": self.url(path),
            "name": card.title, "image": self.url(&crate::cover_url(&card.slug)),
            "author": authors.collect::<Vec<_>>(), "offers": self.offer(card, more.on_sale, path),
        });
        let mut add = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                book[name] = value;
            }
        };
        add("alternativeHeadline", more.subtitle.clone().map(Value::from));
        add("description", Some(more.description.clone()).filter(|text| !text.is_empty()).map(Value::from));
        add("isbn", more.isbn.clone().map(Value::from));
        add("gtin13", more.isbn.clone().map(Value::from));
        add("numberOfPages", more.pages.map(Value::from));
        // Years before 1000 have no agreed form.
        add("datePublished", card.year.filter(|year| *year >= 1000).map(|year| year.to_string().into()));
        add("genre", more.categories.first().map(|category| category.name.clone().into()));
        book
    }

    fn offer(&self, card: &domain::catalog::BookCard, on_sale: bool, path: &str) -> Value {
        let fee = self.config.delivery.fee_for(card.price);
        let mut offer = json!({
            "@type": "Offer", "url": self.url(path), "price": card.price.decimal(),
            "priceCurrency": card.currency.code(), "itemCondition": "https://schema.org/NewCondition",
            "seller": { "@type": "Organization", "name": super::NAME, "url": self.url("/") },
            "shippingDetails": {
                "@type": "OfferShippingDetails",
                "shippingRate": { "@type": "MonetaryAmount", "value": fee.decimal(), "currency": card.currency.code() },
                "shippingDestination": { "@type": "DefinedRegion", "addressCountry": "IN" },
                "deliveryTime": delivery_time(self.config.delivery_days),
            },
        });
        // As long as copies are being counted, nothing is said.
        let availability = match (on_sale, card.available) {
            (false, _) => Some("Discontinued"),
            (true, Some(..=0)) => Some("OutOfStock"),
            (true, Some(_)) => Some("InStock"),
            (true, None) => None,
        };
        if let Some(word) = availability {
            offer["availability"] = format!("https://schema.org/{word}").into();
        }
        offer
    }
}

fn delivery_time(days: DeliveryDays) -> Value {
    json!({
        "@type": "ShippingDeliveryTime",
        "transitTime": {
            "@type": "QuantitativeValue", "minValue": days.least(), "maxValue": days.most(), "unitCode": "DAY",
        },
    })
}

/// One script's text; what could end the script, or look like markup, is written as an escape.
pub fn graph(things: Vec<Value>) -> String {
    let text = json!({ "@context": "https://schema.org", "@graph": things }).to_string();
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_the_script() {
        let text = graph(vec![json!({ "name": "</script><script>alert('&')" })]);
        assert!(!text.contains(['<', '>', '&']), "{text}");
        let read: Value = serde_json::from_str(&text).expect("still JSON");
        assert_eq!(read["@graph"][0]["name"], "</script><script>alert('&')");
    }
}
